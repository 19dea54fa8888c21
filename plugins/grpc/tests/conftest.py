"""A running host with a gRPC port, a component that does what a test says, and the Dapr SDK's settings for it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import grpc
import pytest
from dapr.conf import settings
from dapr.proto.runtime.v1 import dapr_pb2_grpc

from jackfield import Conversation, ConversationRequest, RegisterComponents, Result, Settings, hookimpl
from jackfield.testing import RunningHost

pytest_plugins = ["jackfield.testing"]
# dapr-agents brings more than a hundred distributions, so that its tests have an environment of their own.
collect_ignore = [] if find_spec("dapr_agents") else ["test_agents.py"]

Script: TypeAlias = Callable[[ConversationRequest], Awaitable[Result]]
MANIFEST = """
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: {name}
spec:
  type: conversation.scripted
  version: v1
"""


async def repeat(request: ConversationRequest) -> Result:
    """Answer with what was said last."""
    return Result.of_text(request.messages[-1].text if request.messages else "", model="probe-1")


@dataclass
class Served:
    """A host that serves one component, ``llm``.

    Attributes:
        folder: the manifests.
        script: answers the requests of ``llm``.
        requests: what ``llm`` was asked.
        address: of the gRPC port.
    """

    folder: Path
    script: Script = repeat
    requests: list[ConversationRequest] = field(default_factory=list)
    address: str = ""
    host: RunningHost = field(init=False)

    @contextmanager
    def serve(self, **options: Any) -> Iterator[None]:
        """Serve while the context lasts."""
        options.setdefault("plugins", ("grpc",))
        options.setdefault("service_options", {"dapr-grpc-port": "0"})
        with _addresses() as told:
            self.host = RunningHost(self.folder, options=options, plugins=(self._plugin(),), services=True)
            with self.host:
                assert self.host.request("GET", "/v1.0/healthz/outbound").status == 204  # all has started then
                self.address = told[-1] if told else ""
                yield

    def _plugin(self) -> ModuleType:
        served = self

        class Scripted(Conversation[Settings]):
            async def converse(self, request: ConversationRequest) -> Result:
                served.requests.append(request)
                return await served.script(request)

        @hookimpl
        def register_components(register: RegisterComponents) -> None:
            register.conversation("conversation.scripted", Scripted)

        module = ModuleType("scripted")
        module.register_components = register_components  # type: ignore[attr-defined]
        return module


@contextmanager
def _addresses() -> Iterator[list[str]]:
    """Collect the addresses at which servers say they listen."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "serving gRPC":
                told.append(vars(record)["address"])

    log, listener = logging.getLogger("jackfield.grpc"), Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield told
    finally:
        log.removeHandler(listener)
        log.setLevel(before)


@pytest.fixture(name="unserved")
def _unserved(tmp_path: Path) -> Served:
    """Prepare a host that the test starts itself."""
    (tmp_path / "llm.yaml").write_text(MANIFEST.format(name="llm"))
    return Served(tmp_path)


@pytest.fixture(name="served")
def _served(unserved: Served) -> Generator[Served, None, None]:
    """Serve one component."""
    with unserved.serve():
        yield unserved


@pytest.fixture(name="channel")
def _channel(served: Served) -> Generator[grpc.Channel, None, None]:
    """Connect to the host."""
    with grpc.insecure_channel(served.address) as channel:
        yield channel


@pytest.fixture(name="stub")
def _stub(channel: grpc.Channel) -> dapr_pb2_grpc.DaprStub:
    """Give Dapr's generated client for the host."""
    return dapr_pb2_grpc.DaprStub(channel)  # type: ignore[no-untyped-call]


@pytest.fixture(name="point")
def _point(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set what the SDK reads from its variables once, at its import: where a host is, and a token."""

    def point(served: Served, token: str | None = None) -> None:
        monkeypatch.setattr(settings, "DAPR_HTTP_PORT", served.host.port)
        monkeypatch.setattr(settings, "DAPR_GRPC_PORT", int(served.address.rpartition(":")[2]))
        monkeypatch.setattr(settings, "DAPR_API_TOKEN", token)
        monkeypatch.setattr(settings, "DAPR_HEALTH_TIMEOUT", 10)

    return point


@pytest.fixture(name="sdk")
def _sdk(served: Served, point: Callable[..., None]) -> Served:
    """Have the SDK find the host."""
    point(served)
    return served
