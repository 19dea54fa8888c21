"""Requests as no client should send them, to a running host: each is answered, in time, and with no fault of its own.

The component is the echo, which fails at nothing: so every 500 is the host's own fault.
"""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hostile_calls import Calling, calls, grpc_addresses
from hypothesis import strategies as st
from nasty import edited, json_values, mutated_json, texts
from request_samples import ALPHA1, ALPHA2, HELLO, HTTP, HTTP_SIGNS, NAMES, OPENAI, SIGNS
from running import RunningHost, component
from searching import Property

from jackfield.serving.network import Network

__all__ = ["target"]

ANSWERS = frozenset({200, 202, 204, 400, 403, 404, 405, 408, 411, 413, 414, 415, 417, 422, 431, 501, 505})
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
        told = stack.enter_context(grpc_addresses())
        options = {"service_options": {"dapr-grpc-port": "0"}}
        uvicorn = stack.enter_context(RunningHost(folder, Network(port=0, server="uvicorn")))
        hypercorn = stack.enter_context(RunningHost(folder, Network(port=0), options=options, services=True))
        assert hypercorn.request("GET", "/v1.0/healthz/outbound").status == 204
        calling = Calling(told[-1])
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
            wire = st.tuples(edited(HTTP, HTTP_SIGNS), st.booleans())
            found.append(Property(f"{name}: bytes for HTTP", wire, other.raw, PATIENCE, True, 20))
        found.append(Property("gRPC: messages", calls(), calling.call, PATIENCE, True, 60))
        yield found
