"""``DAPR_API_TOKEN`` on a host with every plugin that is installed: nothing answers without it, on any way in."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from dapr.proto.runtime.v1 import dapr_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived
from process import Process, serving
from raw_http import converse_path, message, post, said
from running import RunningHost, component
from wire_replies import Answered, answers

from jackfield.http import gate

TOKEN = "token-0123456789"
NEARLY = "token-012345678X"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO"]
PATHS = [
    *(converse_path("echo", "alpha1"), converse_path("echo"), converse_path("%zz"), converse_path("..%2fecho")),
    *("/", "/v1.0/metadata", "/v1.0/metadata/key", "/v1.0/shutdown", "/v1.0/healthz", "/v1.0/healthz/outbound"),
    *("/v1.0/healthz/../metadata", "/v1.0/healthz/%2e%2e/metadata", "/v1.0/healthz%2fmetadata", "/v1.0/Healthz"),
    *("/v1.0/healthz;/../metadata", "/v1.0/metadata?/v1.0/healthz", "/v1.0/healthz%00", "/%76%31.0/metadata"),
    *("/v1/chat/completions", "/v1/models", "/v1/models/echo", "/v1/nothing", "/nowhere", "/metrics", "/docs"),
]
EXEMPT = {"/v1.0/healthz", "/v1.0/healthz/outbound"}


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A host in a process of its own that asks for a token and logs all it can."""
    folder: Path = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo"))
    options = ["--server", request.param, "--log-level", "debug", "--enable-api-logging"]
    with serving(folder, *options, DAPR_API_TOKEN=TOKEN) as process:
        process.wait_for("component loaded")
        yield process


def told(process: Process, data: bytes) -> Answered:
    """Send a request that ends its connection, and read what comes back."""
    with socket.create_connection(("127.0.0.1", process.port)) as connection:
        return answers(connection, data)


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("path", PATHS)
def test_no_route_and_no_method_answers_without_the_token(guarded: Process, path: str, version: str) -> None:
    """Every path, plugins' and unknown ones too, is 401 with every method, but for GET on the two health routes."""
    for method in METHODS:
        request = message(method, path, said("hi"), "Connection: close", f"dapr-api-token: {NEARLY}")
        answered = told(guarded, request.replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1))
        status = int(answered.received.split(b" ", 2)[1])
        if method == "GET" and path in EXEMPT:
            assert status == 204
        else:
            # A server may refuse a method or a target by itself, before the host sees it.
            assert status == 401 or (status == 400 and b"Invalid HTTP request" in answered.received), method
        assert b"echo" not in answered.received


@pytest.mark.parametrize("target", ["*", "http://localhost/v1.0/metadata", "http://localhost/v1/models"])
def test_no_form_of_a_target_gets_around_the_token(guarded: Process, target: str) -> None:
    """A target in another form than a path is no way in."""
    for method in ("GET", "OPTIONS", "POST"):
        answered = told(guarded, message(method, target, b"", "Connection: close"))
        assert int(answered.received.split(b" ", 2)[1]) in {400, 401}


def test_connect_opens_no_tunnel(guarded: Process) -> None:
    """CONNECT is refused like any other method: the host is no proxy."""
    answered = told(guarded, b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert int(answered.received.split(b" ", 2)[1]) in {400, 401}


@pytest.mark.parametrize(
    "lines",
    [
        ["Authorization: Bearer " + TOKEN],
        ["Cookie: dapr-api-token=" + TOKEN],
        ["dapr_api_token: " + TOKEN],
        ["dapr-api-token: " + NEARLY, "x-dapr-api-token: " + TOKEN],
        ["dapr-api-token: Bearer " + TOKEN],
        ["Transfer-Encoding: chunked"],
    ],
)
def test_the_token_counts_in_its_own_header_alone(guarded: Process, lines: list[str]) -> None:
    """On Dapr's routes a token in another header, a cookie, a query or a trailer is none."""
    query = b"/converse?dapr-api-token=" + TOKEN.encode()
    request = post("echo", "hi", "Connection: close", *lines).replace(b"/converse", query)
    if lines == ["Transfer-Encoding: chunked"]:
        head, _, body = request.partition(b"\r\n\r\n")
        request = head + b"\r\n\r\n%x\r\n%s\r\n0\r\ndapr-api-token: %s\r\n\r\n" % (len(body), body, TOKEN.encode())
    answered = told(guarded, request)
    assert answered.statuses == [401]


@pytest.mark.parametrize("line", [f"dapr-api-token: {TOKEN}", f"Authorization: Bearer {TOKEN}"])
def test_a_plugin_s_route_takes_the_token_in_either_header(guarded: Process, line: str) -> None:
    """OpenAI's paths take the token as their clients send keys; nearly the token is refused in OpenAI's form."""
    right = told(guarded, message("GET", "/v1/models", b"", "Connection: close", line))
    assert right.statuses == [200]
    wrong = told(guarded, message("GET", "/v1/models", b"", "Connection: close", line.replace(TOKEN, NEARLY)))
    assert wrong.statuses == [401]
    assert b'"error"' in wrong.bodies[0]


def test_a_stream_needs_the_token(guarded: Process) -> None:
    """Who asks for events without the token gets the refusal and no stream."""
    for line in ("Accept: text/event-stream", "x-none: 1"):
        body = b'{"stream":true,' + said("hi")[1:]
        answered = told(guarded, message("POST", converse_path("echo"), body, line, "Connection: close"))
        assert answered.statuses == [401]


def test_http_2_needs_the_token(tmp_path: Path) -> None:
    """HTTP/2 in clear text, which begins without asking, is no way around the token."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    h2.initiate_connection()
    posted = ("POST", converse_path("echo"))
    wanted = [("GET", "/v1.0/healthz"), ("GET", "/v1.0/metadata"), posted, ("GET", "/v1/models")]
    for number, (method, path) in enumerate(wanted):
        named = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "localhost")]
        h2.send_headers(1 + 2 * number, named, end_stream=True)
    statuses: dict[int, str] = {}
    with RunningHost(tmp_path, options={"api_token": TOKEN}) as host, host.connect() as connection:
        connection.sendall(h2.data_to_send())
        while len(statuses) < len(wanted):
            data = connection.recv(65536)
            assert data, statuses
            for event in h2.receive_data(data):
                if isinstance(event, ResponseReceived):
                    told = {str(name): str(value) for name, value in event.headers or ()}
                    statuses[event.stream_id or 0] = told[":status"]
    assert [statuses[stream] for stream in sorted(statuses)] == ["204", "401", "401", "401"]


def test_every_method_of_grpc_needs_the_token(guarded: Process) -> None:
    """Each method of each gRPC service, reflection and health too, is UNAUTHENTICATED without the token."""
    address = guarded.wait_for(r'msg="serving gRPC".*?address=(\S+)')[1]
    files = (dapr_pb2.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
    services = [service for file in files for service in file.services_by_name.values()]
    methods = [f"/{service.full_name}/{method.name}" for service in services for method in service.methods]
    assert len(methods) > 30
    with grpc.insecure_channel(address) as channel:
        for method in [*methods, "/a.B/C", "/"]:
            for metadata in ((), (("dapr-api-token", NEARLY),), (("authorization", f"Bearer {TOKEN}"),)):
                call = channel.stream_stream(method, _bytes, _bytes)(iter([b""]), metadata=metadata, timeout=20)
                with pytest.raises(grpc.RpcError):
                    list(call)
                assert call.code() == grpc.StatusCode.UNAUTHENTICATED, method


def _bytes(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize("sent", ["", "t", NEARLY, TOKEN * 2, TOKEN[:-1], "\u00fc" * 16])
def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    """The token is compared in constant time: whatever is sent in its place reaches hmac's comparison whole."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return False

    monkeypatch.setattr(gate, "compare_digest", compare)
    judge = gate.Gate(None, unauthorized=None, api_token=TOKEN)  # type: ignore[arg-type]
    scope = {"type": "http", "method": "GET", "path": "/v1.0/metadata", "headers": [(b"dapr-api-token", sent.encode())]}
    judge._refusal(scope)
    assert compared == [(sent.encode(), TOKEN.encode())]


def test_the_token_is_in_no_log_and_no_reply(guarded: Process) -> None:
    """Neither the token nor what was sent in its place stands in the log at its most talkative, or in metadata."""
    for token in (TOKEN, NEARLY):
        for path in ("/v1.0/metadata", "/v1/models", "/nowhere"):
            answered = told(guarded, message("GET", path, b"", "Connection: close", f"dapr-api-token: {token}"))
            assert token.encode() not in answered.received
    assert re.search("level=info", guarded.log)
    assert TOKEN not in guarded.log
    assert NEARLY not in guarded.log
