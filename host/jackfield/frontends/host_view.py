"""The host as a front end with a server of its own sees it: a gRPC server, a port for metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from jackfield.errors import ComponentNotFound, ErrorCode, InvokeError, RequestError, error_code
from jackfield.events import Event, Result
from jackfield.messages import ConversationRequest, Record
from jackfield.overrides import OverridePolicy

if TYPE_CHECKING:
    from jackfield.catalog.instance import ConversationInstance
    from jackfield.host import Host
    from jackfield.serving.network import Network

__all__ = ["ComponentView", "HostView", "LeasedComponent", "Listening", "ServiceScope"]


@dataclass(frozen=True, kw_only=True)
class ServiceScope:
    """For whom a service is to run.

    Attributes:
        once: it runs in one worker at a time, and in another as soon as that one is gone; otherwise in every worker.
        worker: this worker's number, from 1.
        workers: how many workers there are.
        group: a name that all workers of this host share and no other host has, for what they keep together.
    """

    once: bool
    worker: int = 1
    workers: int = 1
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where and how the operator wants the host to listen.

    Attributes:
        addresses: IP addresses or host names; an empty one stands for all interfaces.
        unix_folder: daprd's ``--unix-domain-socket``: a folder for sockets instead of ports; None for ports.
        certificate: a PEM file with the certificate chain; turns TLS on.
        private_key: a PEM file with its key; None if the chain's file has it.
        client_ca: a PEM file; clients must show a certificate that it signed.
    """

    addresses: tuple[str, ...] = ("127.0.0.1",)
    unix_folder: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    client_ca: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ComponentView:
    """One component as it serves at this moment.

    Attributes:
        name: its name.
        type_name: its component type.
        version: as its manifest writes it.
        capabilities: what Dapr's metadata lists for it.
    """

    name: str
    type_name: str
    version: str
    capabilities: tuple[str, ...] = ()


class LeasedComponent:
    """A conversation component that can't be closed while it is leased."""

    def __init__(self, instance: ConversationInstance) -> None:
        self._instance = instance

    @property
    def overrides(self) -> OverridePolicy:
        """Which settings a request may override, and the component's own."""
        return self._instance.overrides

    async def answer(self, request: ConversationRequest) -> Result:
        """Answer a request in one piece.

        Raises:
            RequestError: it could not be answered.
        """
        return await self._instance.answer(request)

    def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request in events: ``Delta*``, a ``Finish`` per choice, at most one ``Usage``.

        Close the generator (``contextlib.aclosing``) within the lease. It raises as ``answer`` does.

        Args:
            request: ``stream`` is set, whether or not it was.
        """
        return self._instance.handler(request if request.stream else structs.replace(request, stream=True))


class HostView:
    """What a service may ask of the host, and tell it.

    Everything is called on the event loop that the service runs on.
    """

    def __init__(self, host: Host, network: Network) -> None:
        self._host = host
        self._network = network

    @property
    def app_id(self) -> str:
        """``--app-id``; empty if there is none."""
        return self._host.options.app_id

    @property
    def namespace(self) -> str:
        """``--namespace``; empty if there is none."""
        return self._host.options.namespace

    @property
    def api_token(self) -> str:
        """What every request must carry as ``dapr-api-token``; empty asks for nothing. Compare in constant time."""
        return self._host.options.api_token

    @property
    def max_body_size(self) -> int:
        """The largest request, in bytes."""
        return self._host.options.max_body_size

    @property
    def graceful_shutdown_seconds(self) -> float:
        """How long running replies may take after a stop. Requests under a lease are cut off by then."""
        return self._host.options.graceful_shutdown_seconds

    @property
    def listening(self) -> Listening:
        """Where and how to listen."""
        network = self._network
        return Listening(
            addresses=network.addresses,
            unix_folder=network.unix_folder,
            certificate=network.certificate,
            private_key=network.private_key,
            client_ca=network.client_ca,
        )

    @property
    def ready(self) -> bool:
        """Whether every component of the first start has been built."""
        return not self._host.missing()

    def option(self, name: str) -> str | None:
        """Return what the operator gave for one of daprd's options that are a service's, such as ``dapr-grpc-port``.

        Args:
            name: without dashes in front. Known are ``dapr-grpc-port``, ``metrics-port``, ``metrics-listen-address``
                and ``enable-metrics`` (``true`` if given). A port is a number from 0 to 65535.

        Returns:
            The text; None if the option was not given, on the command line or in its environment variable.
        """
        return self._host.options.service_options.get(name)

    def allows(self, api: str, version: str, protocol: str = "grpc") -> bool:
        """Tell whether the Configuration lets an API be served.

        Args:
            api: such as ``conversation``, ``metadata`` or ``shutdown``.
            version: such as ``v1`` or ``v1alpha2``.
            protocol: ``grpc`` or ``http``.
        """
        return self._host.options.configuration.allows(api, version, protocol)

    def components(self) -> tuple[ComponentView, ...]:
        """Return the components that serve at this moment, of every kind."""
        return tuple(
            ComponentView(
                name=entry.name,
                type_name=entry.manifest.type_name,
                version=entry.manifest.written_version,
                capabilities=tuple(entry.instance.component.capabilities),
            )
            for entry in self._host.catalog.entries.values()
            if entry.instance is not None
        )

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[LeasedComponent]:
        """Hold a conversation component for one request; one that is being built for the first time is waited for.

        The task that enters counts as a running request until it leaves: a host that stops waits for it, within its
        budget, and then cuts it off.

        Raises:
            ComponentNotFound: nothing serves under that name; the text says why.
            InvokeError: the host stopped before the reply was whole.
        """
        host = self._host
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  whatever is async runs in a task
        host.running.add(task)
        try:
            try:
                instance = host.catalog.conversation(name)
            except ComponentNotFound:
                instance = await host.started(name)
            instance.acquire()
            try:
                yield LeasedComponent(instance)
            finally:
                instance.release()
        except asyncio.CancelledError:
            if not host.cutting:
                raise
            task.uncancel()
            raise InvokeError("the host is stopping and the reply took too long", component=name) from None
        finally:
            host.running.discard(task)

    async def drained(self) -> None:
        """Wait until the host is stopping and no request runs any more, in any front end.

        For what a service does last, such as sending what it has collected: services are ended while requests still
        run.
        """
        await self._host.drained.wait()

    def new_request_id(self) -> str:
        """Make an id for a request that came without one."""
        return self._host.new_request_id()

    def finished(self, record: Record) -> None:
        """Tell the observers of a request that has been answered, or that its caller has left."""
        self._host.finished(record)

    def metadata(self) -> dict[str, Any]:
        """Describe the host as ``GET /v1.0/metadata`` does, for all workers."""
        from jackfield.metadata import metadata_document

        return metadata_document(self._host)

    @property
    def extended(self) -> Mapping[str, str]:
        """What clients have added to the metadata document."""
        return self._host.extended

    async def set_metadata(self, key: str, value: str) -> None:
        """Keep a value for the metadata document's ``extended`` member, in all workers.

        Raises:
            JackfieldError: a worker did not answer in time.
        """
        await self._host.set_metadata(key, value)

    def request_stop(self, *, force: bool = False) -> None:
        """Have the whole host stop, gracefully or at once."""
        self._host.request_stop(force=force)

    def error_code(self, error: RequestError) -> ErrorCode:
        """Return how an error is told: Dapr's code, an HTTP status and the name of a gRPC status."""
        return error_code(error)
