"""A collector that decodes what it is sent, a provider that keeps what it is asked, and a host between the two."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from jackfield import ConversationRequest, Delta, Event, Finish, RegisterComponents, Result, TextPart, Usage, hookimpl
from jackfield.testing import RunningHost
from jackfield.upstream import Reply, UpstreamConversation, UpstreamSettings

pytest_plugins = ["jackfield.testing"]


class Said(UpstreamConversation[UpstreamSettings]):
    """Asks a server, and answers what it says."""

    Settings = UpstreamSettings
    default_model = "said-1"

    def url(self, model: str) -> str:
        """Where to ask."""
        return f"{self.endpoint}/said"

    def headers(self) -> dict[str, str]:
        """Its key."""
        return {"Authorization": f"Bearer {self.settings.key.get_secret_value()}"}

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> Any:
        """What is said last."""
        return {"text": request.messages[-1].text}

    async def read_result(self, reply: Reply, request: ConversationRequest, model: str) -> Result:
        """Repeat it."""
        said = json.loads(await reply.read(10_000))
        return Result.of_text(said["text"], model="said-1-2026", usage=Usage(3, 5, 8))

    async def read_stream(self, reply: Reply, request: ConversationRequest, model: str) -> AsyncGenerator[Event, None]:
        """Repeat it, word by word."""
        for word in json.loads(await reply.read(10_000))["text"].split():
            yield Delta(TextPart(word))
        yield Finish("stop", model="said-1-2026")
        yield Usage(3, 5, 8)


@dataclass
class Server:
    """An HTTP server that keeps what it is sent.

    Attributes:
        answer: gives status and body for a path and a body.
        seen: paths, headers and bodies.
    """

    answer: Callable[[str, bytes], tuple[int, bytes]]
    seen: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def __enter__(self) -> Server:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                server.seen.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
                status, reply = server.answer(self.path, body)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"


class Collector(Server):
    """Takes OTLP over HTTP."""

    @property
    def spans(self) -> list[Any]:
        """All spans, as they were sent."""
        bodies = [body for path, _, body in self.seen if path == "/v1/traces"]
        exports = [ExportTraceServiceRequest.FromString(body) for body in bodies]
        return [
            span
            for export in exports
            for of in export.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]

    @property
    def resources(self) -> list[dict[str, Any]]:
        """What the exports say they are from."""
        return [attributes(of.resource) for of in self._traces()]

    def _traces(self) -> list[Any]:
        bodies = [body for path, _, body in self.seen if path == "/v1/traces"]
        return [of for body in bodies for of in ExportTraceServiceRequest.FromString(body).resource_spans]

    @property
    def metrics(self) -> dict[str, list[Any]]:
        """The points of the last export by the metric's name."""
        bodies = [body for path, _, body in self.seen if path == "/v1/metrics"]
        export = ExportMetricsServiceRequest.FromString(bodies[-1])
        return {
            metric.name: list(metric.histogram.data_points)
            for of in export.resource_metrics
            for scope in of.scope_metrics
            for metric in scope.metrics
        }


def attributes(thing: Any) -> dict[str, Any]:
    """Read the attributes of a span, a point or a resource."""
    return {pair.key: _value(pair.value) for pair in thing.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@pytest.fixture(name="attributes_of")
def _attributes_of() -> Callable[[Any], dict[str, Any]]:
    """Reads attributes."""
    return attributes


@pytest.fixture(name="collector")
def _collector() -> Iterator[Collector]:
    """A collector."""
    with Collector(lambda _path, _body: (200, b"")) as server:
        assert isinstance(server, Collector)
        yield server


@pytest.fixture(name="provider")
def _provider() -> Iterator[Server]:
    """A provider that repeats; it fails where the text says so."""

    def answer(_: str, body: bytes) -> tuple[int, bytes]:
        text = json.loads(body)["text"]
        return (503, b'{"error": {"message": "private words"}}') if "fail" in text else (200, body)

    with Server(answer) as server:
        yield server


@pytest.fixture(name="serve")
def _serve(
    provider: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractContextManager[RunningHost]]:
    """Serves a component ``llm`` that asks the provider, with variables of the environment."""
    stub = ModuleType("said")

    @hookimpl
    def register_components(register: RegisterComponents) -> None:
        register.conversation("conversation.said", Said)

    stub.register_components = register_components  # type: ignore[attr-defined]

    @contextmanager
    def serve(**variables: str) -> Iterator[RunningHost]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        items = {"endpoint": provider.url, "key": "sk-quite-secret-0123456789", "responseCacheTTL": "10m"}
        spec = {"type": "conversation.said", "version": "v1"}
        metadata = [{"name": name, "value": value} for name, value in items.items()]
        head = {"apiVersion": "dapr.io/v1alpha1", "kind": "Component", "metadata": {"name": "llm"}}
        (tmp_path / "llm.yaml").write_text(json.dumps({**head, "spec": {**spec, "metadata": metadata}}))
        options: dict[str, Any] = {"environment": variables, "plugins": ("otel",)}
        with RunningHost(tmp_path, plugins=[stub], services=True, options=options) as host:
            yield host

    return serve
