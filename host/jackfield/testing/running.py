"""A host that really runs: Hypercorn on a port of the kernel's choice, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from jackfield.builtin.modules import BUILTINS
from jackfield.frontends.host_view import HostView, ServiceScope
from jackfield.host import Host
from jackfield.options import HostOptions
from jackfield.serving.network import Network, bind
from jackfield.serving.services import Services
from jackfield.serving.worker import run, serve_host

__all__ = ["Reply", "RunningHost", "send"]

_PATIENCE = 30.0


@dataclass
class Reply:
    """An HTTP reply."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """What the model says in a reply of the alpha2 API."""
        return "".join(
            choice["message"].get("content", "") for output in self.json["outputs"] for choice in output["choices"]
        )


@dataclass
class RunningHost:
    """Serves ``folder`` while the context lasts.

    Attributes:
        folder: the manifests.
        network: how to listen; port 0 unless a test says otherwise.
        options: further ``HostOptions``.
        plugins: modules to register beside the host's own and the installed ones.
        services: run what plugins bring with ``run_service`` too, on whatever ports they ask for.
    """

    folder: Path
    network: Network = field(default_factory=lambda: Network(port=0))
    options: dict[str, Any] = field(default_factory=dict)
    plugins: Sequence[ModuleType] = ()
    services: bool = False

    def __enter__(self) -> Self:
        self.options.setdefault("environment", {})
        self.sockets = bind(self.network)
        self.address = self.sockets[0].getsockname()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(_PATIENCE)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join()

    def stop(self) -> None:
        """Ask the host to stop, as SIGTERM does; harmless if it has stopped already."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        """Wait until the host has stopped.

        Raises:
            TimeoutError: it did not.
        """
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            raise TimeoutError("the host did not stop")
        if self._failure is not None:
            raise self._failure

    @property
    def port(self) -> int:
        """The TCP port."""
        port: int = self.address[1]
        return port

    def _run(self) -> None:
        try:
            run(self._main)
        except BaseException as error:  # noqa: BLE001  told to the test's thread
            self._failure = error
        finally:
            self._started.set()

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        options = HostOptions(folders=(self.folder,), **self.options)
        self.host = Host(options, stop=lambda _: self._stop.set(), builtins=(*BUILTINS, *self.plugins))
        if self.services:
            view = HostView(self.host, self.network)
            self.host.services = Services(self.host.plugins, view, ServiceScope(once=False))
        self._started.set()
        await serve_host(self.host, self.network, self.sockets, self._stop)

    def connect(self) -> socket.socket:
        """Open a plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE)

    def connection(self) -> http.client.HTTPConnection:
        """Open a connection to be kept alive."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)

    def request(
        self, method: str, path: str, body: bytes | str | dict[str, Any] | None = None, **headers: str
    ) -> Reply:
        """Send one request on a connection of its own; ``_`` in header names becomes ``-``."""
        connection = self.connection()
        try:
            return send(connection, method, path, body, **headers)
        finally:
            connection.close()

    def converse(self, name: str, text: str = "hello", *, api: str = "alpha2", **headers: str) -> Reply:
        """Say something to a component."""
        body: dict[str, Any] = {"inputs": [{"content": text}]}
        if api == "alpha2":
            body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}]}
        return self.request("POST", f"/v1.0-{api}/conversation/{name}/converse", body, **headers)


def send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | str | dict[str, Any] | None = None,
    **headers: str,
) -> Reply:
    """Send a request on a connection and read the whole reply."""
    data = json.dumps(body) if isinstance(body, dict) else body
    connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return Reply(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())
