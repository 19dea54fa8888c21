"""Requests as no client should send them, to a running host: each is answered, in time, and with no fault of its own.

The component is the echo, which fails at nothing: so every 500 is the host's own fault.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import add
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
from dapr.proto.runtime.v1 import ai_pb2
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from hypothesis import strategies as st
from nasty import edited, json_values, mutated_json, texts
from running import RunningHost, component
from searching import Property

from jackfield.serving.network import Network

__all__ = ["target"]

HELLO = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}]}
TOOL = {"function": {"name": "look", "description": "d", "parameters": {"type": "object", "properties": {"a": {}}}}}
ALPHA2 = (
    HELLO,
    {**HELLO, "stream": True, "contextId": "c", "scrubPII": False, "temperature": 0.5, "cacheTTL": "10m"},
    {**HELLO, "tools": [TOOL], "toolChoice": "required", "parameters": {"maxTokens": {"value": 5}}},
    {**HELLO, "metadata": {"model": "m", "temperature": "0.1"}, "responseFormat": {"type": "object"}},
    {
        "inputs": [
            {
                "messages": [
                    {"ofDeveloper": {"name": "d", "content": [{"text": "be brief"}]}},
                    {"ofSystem": {"content": [{"text": "be kind"}]}},
                    {"ofUser": {"content": [{"text": "what?"}, {"text": "when?"}]}},
                    {"ofAssistant": {"toolCalls": [{"id": "1", "function": {"name": "look", "arguments": "{}"}}]}},
                    {"ofTool": {"toolId": "1", "name": "look", "content": [{"text": "found"}]}},
                ],
                "scrubPII": False,
            }
        ],
        "promptCacheRetention": "86400s",
        "n": 2,
        "stop": ["x"],
        "seed": 7,
    },
)
ALPHA1 = (
    {"inputs": [{"content": "hello", "role": "user", "scrubPII": False}], "contextID": "c", "temperature": 0.1},
    {
        "inputs": [{"content": "a"}, {"content": "b", "role": "assistant"}],
        "parameters": {"p": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "x"}},
        "metadata": {"key": "v"},
        "cacheTTL": "1h30m",
    },
)
OPENAI = (
    {"model": "echo", "messages": [{"role": "user", "content": "hello"}]},
    {"model": "echo/x", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], "stream": True},
    {
        "model": "echo",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "name": "u", "content": "q"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "r"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "max_completion_tokens": 5,
        "stop": "x",
        "n": 1,
        "user": "u",
    },
)
NAMES: tuple[str, ...] = (
    "inputs",
    "messages",
    "ofUser",
    "content",
    "text",
    "role",
    "tools",
    "parameters",
    "metadata",
    "stream",
    "model",
)
NAMES += (
    "max_tokens",
    "maxTokens",
    "MAX_TOKENS",
    "scrubPII",
    "scrub_pii",
    "cacheTTL",
    "value",
    "@type",
    "responseFormat",
)
SIGNS: tuple[bytes, ...] = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"null",
    b"NaN",
    b"1e999",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xef\xbb\xbf",
)
SIGNS += (b"[" * 3000, b'{"a":' * 300, b"9" * 5000, b"0.1", b"-0", b'"\\u0022"')
ANSWERS = frozenset({200, 202, 204, 400, 404, 405, 408, 411, 413, 414, 415, 417, 422, 431, 501, 505})
CODES = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"})
PATIENCE = 10.0


@dataclass
class Asking:
    """A host, and a connection that is kept for all that is asked.

    Attributes:
        host: it runs.
        path: where bodies go.
    """

    host: RunningHost
    path: str
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def body(self, data: bytes) -> str:
        """Send a body; it is answered as documented, and the host goes on."""
        return self.request("POST", self.path, data, {"content-type": "application/json"})

    def any(self, example: tuple[str, str, bytes | None, dict[str, str]]) -> str:
        """Send any request; what isn't there is answered before its body is read, which may end the connection."""
        return self.request(*example, kept=False)

    def request(self, method: str, path: str, data: bytes | None, headers: dict[str, str], *, kept: bool = True) -> str:
        """Send a request, and one that is in order behind it, on the same connection if that is ``kept``."""
        connection = self._connection = self._connection or self.host.connection()
        try:
            connection.request(method, path, data, headers)
            reply = connection.getresponse()
            said = reply.read()
            # Dapr's own 500 is for a host that is asked whether it is another.
            status = 204 if reply.status == 500 and path.startswith("/v1.0/healthz?") else reply.status
            outcome = _judged(status, reply.getheader("content-type") or "", said)
            if not kept:
                connection.close()
            connection.request("GET", "/v1.0/healthz/outbound")
            after = connection.getresponse()
            after.read()
            assert after.status == 204, after.status
        except BaseException:
            self._connection = None
            connection.close()
            raise
        return outcome

    def raw(self, example: tuple[bytes, bool]) -> str:
        """Send bytes that may be no HTTP at all: an answer or an end comes in time, and others are served."""
        data, ends = example
        with socket.create_connection(("127.0.0.1", self.host.port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(data)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
                connection.settimeout(PATIENCE if ends else 0.05)
                said = connection.recv(65536)
            except TimeoutError:
                assert not ends, "no answer, and no end"
                said = b""
            except OSError:
                said = b""
        assert self.host.request("GET", "/v1.0/healthz/outbound").status == 204
        assert b"Traceback" not in said
        if not said:
            return "waits or is closed"
        status = int(said.split(b" ", 2)[1])
        assert status in ANSWERS, said[:200]
        return str(status)


def _judged(status: int, media: str, said: bytes) -> str:
    """Look at an answer: a documented status, and a body that is what its type says."""
    assert status in ANSWERS, (status, said[:300])
    assert b"Traceback" not in said
    assert b'File "' not in said
    if not said:  # the answer to HEAD
        return str(status)
    if media.startswith("application/json"):
        told = json.loads(said)
        if status >= 400:
            assert told.get("errorCode") or told["error"]["message"], told
            return f"{status} {told.get('errorCode', 'error')}"
    elif media.startswith("text/event-stream"):
        text = said.decode()
        assert text.endswith("\n\n"), text[-100:]
        last = text.rstrip().rsplit("\n\n", 1)[-1]
        assert last.startswith(("event: done", "data: [DONE]")), last
        return f"{status} streamed"
    return str(status)


@st.composite
def named(draw: st.DrawFn) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Draw requests whose path, headers and metadata names are anything."""
    name = draw(texts(30))
    path = draw(
        st.sampled_from(
            [
                "/v1.0-alpha2/conversation/{}/converse",
                "/v1.0-alpha1/conversation/{}/converse",
                "/v1.0/metadata/{}",
                "/v1.0/healthz?appid={}",
                "/{}",
            ]
        )
    ).format(quote(name, safe=draw(st.sampled_from(["", "/", "+&=", "."]))))
    method = draw(st.sampled_from(["POST", "PUT", "GET", "DELETE", "OPTIONS", "HEAD", "PATCH"]))
    value = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40) | st.sampled_from(
        [
            "no-store",
            "no-cache, max-age=0",
            "max-age=,,,=",
            "text/event-stream;q=1",
            "*/*",
            ", ,;;q",
            "1",
            "0s",
            "a" * 5000,
        ]
    )
    known = ["cache-control", "x-request-id", "accept", "x-jackfield-debug", "content-type", "traceparent", "baggage"]
    known += [
        "dapr-api-token",
        "expect",
        "x-forwarded-for",
        "authorization",
        "content-encoding",
        "tracestate",
    ]
    headers = draw(st.dictionaries(st.sampled_from(known), value, max_size=4))
    if headers.get("expect"):
        headers["expect"] = "100-continue"
    data = draw(st.sampled_from([None, b"", b"text", b"\xff\xfe", json.dumps(HELLO).encode(), b"x" * 9_000]))
    return method, path, data, headers


def _requests() -> tuple[bytes, ...]:
    body = json.dumps(HELLO).encode()
    head = b"POST /v1.0-alpha2/conversation/echo/converse HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return (
        head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        b"GET /v1.0/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"PUT /v1.0/metadata/a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
    )


HTTP_SIGNS: tuple[bytes, ...] = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\x00",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: a\r\n",
)
HTTP_SIGNS += (
    b"HTTP/2.0",
    b"HTTP/9.9",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"Upgrade: h2c\r\n",
    b"%2e%2e/",
    b"a: b\r\n" * 200,
    b"f" * 70_000,
)


class Calling:
    """A gRPC channel to a host.

    Args:
        address: of its gRPC port.
        host: the host, to see that it lives.
    """

    def __init__(self, address: str, host: RunningHost) -> None:
        self._host = host
        self._channel = grpc.insecure_channel(address)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def call(self, example: tuple[str, bytes]) -> str:
        """Call a method with bytes."""
        method, data = example
        raw = self._channel.unary_unary(f"/dapr.proto.runtime.v1.Dapr/{method}", None, None)
        try:
            raw(data, timeout=PATIENCE)
        except grpc.RpcError as error:
            code: str = error.code().name
            text: str = error.details() or ""
            assert "Traceback" not in text
            assert code in CODES, (code, text)
            # daprd's own code for a component that isn't there, and grpc-go's for bytes that are no message
            told = "is no dapr.proto" in text or "failed finding conversation component" in text
            assert code != "INTERNAL" or told, text
            return code
        return "OK"


def _message(kind: type[Message], body: Any) -> bytes:
    """Write what a body's fields come to as a message; those that it can't hold are left out."""
    message = kind()
    for name, value in body.items() if isinstance(body, dict) else ():
        try:
            message.MergeFrom(ParseDict({name: value}, kind(), ignore_unknown_fields=True))
        except (ParseError, TypeError, ValueError, RecursionError):
            continue
    if not isinstance(body, dict) or "name" not in body:
        message.MergeFrom(ParseDict({"name": "echo"}, kind()))
    return message.SerializeToString()


@st.composite
def fields(draw: st.DrawFn, depth: int = 3) -> bytes:
    """Draw bytes in protobuf's wire format: fields of any number and type."""
    out = b""
    for _ in range(draw(st.integers(0, 5))):
        number, kind = draw(st.integers(1, 20)), draw(st.sampled_from([0, 1, 2, 2, 2, 5, 3, 4, 7]))
        out += (
            bytes([number << 3 & 0x7F | kind])
            if number < 16
            else bytes([(number << 3 & 0x7F) | 0x80 | kind, number >> 4])
        )
        if kind == 0:
            out += draw(st.binary(min_size=1, max_size=11))
        elif kind in {1, 5}:
            out += draw(st.binary(min_size=4, max_size=8))
        elif kind == 2:
            inner = (
                draw(fields(depth - 1))
                if depth and draw(st.booleans())
                else draw(texts(20)).encode() or draw(st.binary(max_size=9))
            )
            length = len(inner) + draw(st.sampled_from([0, 0, 0, 0, 0, 1, -1, 100]))
            out += bytes([max(0, min(length, 127))]) + inner
    return out


def _calls() -> st.SearchStrategy[tuple[str, bytes]]:
    kinds: dict[str, tuple[type[Message], tuple[dict[str, Any], ...]]] = {
        "ConverseAlpha1": (ai_pb2.ConversationRequest, ALPHA1),
        "ConverseAlpha2": (ai_pb2.ConversationRequestAlpha2, ALPHA2),
    }
    drawn = []
    for method, (kind, bodies) in kinds.items():
        sources = tuple(_message(kind, body) for body in bodies)
        other = mutated_json(bodies, names=NAMES).map(partial(_message, kind))
        more = fields().map(partial(add, sources[0]))
        drawn += [st.tuples(st.just(method), data) for data in (other, other, more, edited(sources), fields())]
    anything = st.tuples(st.sampled_from(["SetMetadata", "GetMetadata", *kinds]), st.binary(max_size=200) | fields())
    return st.one_of(*drawn, anything)


@contextmanager
def _grpc_address() -> Iterator[list[str]]:
    """Collect the addresses at which gRPC servers say they listen."""
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


def _bodies(sources: tuple[Any, ...]) -> st.SearchStrategy[bytes]:
    written = tuple(json.dumps(source).encode() for source in sources)
    other = mutated_json(sources, names=NAMES).map(lambda value: json.dumps(value).encode())
    return other | other | edited(written, SIGNS) | json_values().map(lambda value: json.dumps(value).encode())


@contextmanager
def target() -> Iterator[list[Property]]:
    """Give the properties of every API, with both servers, and of gRPC."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "echo.yaml").write_text(component("echo"))
        told = stack.enter_context(_grpc_address())
        options = {"service_options": {"dapr-grpc-port": "0"}}
        uvicorn = stack.enter_context(RunningHost(folder, Network(port=0, server="uvicorn")))
        hypercorn = stack.enter_context(RunningHost(folder, Network(port=0), options=options, services=True))
        assert hypercorn.request("GET", "/v1.0/healthz/outbound").status == 204
        calling = Calling(told[-1], hypercorn)
        stack.callback(calling.close)
        alpha = "/v1.0-alpha{}/conversation/echo/converse"
        found = []
        for name, host in (("uvicorn", uvicorn), ("hypercorn", hypercorn)):
            kinds = {alpha.format(2): ALPHA2, alpha.format(1): ALPHA1, "/v1/chat/completions": OPENAI}
            for path, sources in kinds.items():
                asking = stack.enter_context(closing(Asking(host, path)))
                found.append(Property(f"{name}: {path}", _bodies(sources), asking.body, PATIENCE, True, 20))
            other = stack.enter_context(closing(Asking(host, "/")))
            found.append(Property(f"{name}: paths, methods, headers", named(), other.any, PATIENCE, True, 20))
            wire = st.tuples(edited(_requests(), HTTP_SIGNS), st.booleans())
            found.append(Property(f"{name}: bytes for HTTP", wire, other.raw, PATIENCE, True, 20))
        found.append(Property("gRPC: messages", _calls(), calling.call, PATIENCE, True, 60))
        yield found
