"""Responses at hypercorn: heads are h11's own, to the byte, and whole replies are those of hypercorn as it comes."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, cast

import h11
import pytest
from hypercorn.asyncio import serve as stock
from hypercorn.config import Config
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from jackfield.serving.connections import serve as ours
from jackfield.serving.response_heads import head

_TYPICAL = [
    (b"x-request-id", b"0def391c00a0-1f4"),
    (b"content-type", b"application/json"),
    (b"x-jackfield-overhead-ms", b"0.019"),
    (b"content-length", b"230"),
    (b"date", b"Mon, 23 Nov 2026 16:05:09 GMT"),
]
_NAMES = st.sampled_from(
    [b"content-length", b"Content-Length", b"transfer-encoding", b"connection", b"age", b"X-A", b""]
)
_VALUES = st.sampled_from(
    [b"0", b"12", b"12, 12", b"chunked", b"close", b"", b"a b", b" a", b"a\0b", b"a\r\nb: c", b"\xff"]
)
_HEADERS = st.lists(st.tuples(_NAMES | st.binary(max_size=4), _VALUES | st.binary(max_size=6)), max_size=6)


@given(_HEADERS)
@example(_TYPICAL)
@example([(b"content-length", b"1"), (b"content-length", b"2")])
@example([(b"content-length", b"1" * 21)])
@example([(b"a", b"b\0c"), (b"d\0", b"")])
@example([(b"a\0b", b"c")])
def test_a_head_is_what_h11_makes_of_it(headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever headers an application sends, they become what h11 makes of them: its bytes, or its refusal."""
    assert _sent(head, headers) == _sent(_by_h11, headers)


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b" a", b"a "])
def test_a_value_that_is_none_is_refused(value: bytes) -> None:
    """A value can't bring a header of its own: what has a line's end in it, a zero or blanks around it is refused."""
    with pytest.raises(h11.LocalProtocolError, match="Illegal header value"):
        head([*_TYPICAL, (b"x-jackfield-component", value)], 200)


def _by_h11(headers: list[tuple[bytes, bytes]], status: int) -> h11.Response:
    return h11.Response(headers=headers, status_code=status)


def _sent(
    make: Callable[[list[tuple[bytes, bytes]], int], h11.Response], headers: list[tuple[bytes, bytes]]
) -> bytes | str | None:
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    server.next_event()
    try:
        return server.send(make(headers, 200))
    except h11.LocalProtocolError as refusal:
        return str(refusal)


_Serve: TypeAlias = Callable[[ASGIApp, Config, socket.socket, asyncio.Event], Coroutine[Any, Any, None]]
_SIZED = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
_CHUNKED = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
_EMPTY = {"type": "http.response.start", "status": 204, "headers": []}
_NOTHING = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}


def _body(text: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text, "more_body": more}


@pytest.mark.parametrize(
    "messages",
    [
        [_SIZED, _body(b"text")],
        [_SIZED, _body(b"te", more=True), _body(b"xt")],
        [_SIZED, _body(b"", more=True), _body(b"text", more=True), _body(b"")],
        [_SIZED, _body(b"no")],
        [_SIZED],
        [_NOTHING, _body(b"")],
        [_EMPTY, _body(b"")],
        [_CHUNKED, _body(b"te", more=True), _body(b"xt")],
        [_CHUNKED, _body(b"")],
        [_CHUNKED],
        [],
    ],
    ids=lambda messages: (
        "+".join(
            str(message.get("body", b"head")[:4], "ascii") if "body" in message else str(message["status"])
            for message in messages
        )
        or "nothing"
    ),
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_reply_is_that_of_hypercorn_as_it_comes(method: str, messages: list[dict[str, Any]]) -> None:
    """Whatever an application sends, a client gets the bytes that it would get without this module."""
    expected, got = (asyncio.run(_asked(_saying(messages), serve, method)) for serve in (_stock, _ours))
    assert got == expected


def test_a_reply_that_is_longer_than_it_says_is_none() -> None:
    """The connection ends without a head: a client could take what follows for the next reply."""
    assert asyncio.run(_asked(_saying([_SIZED, _body(b"too long")]), _ours, "GET")) == b""


def _saying(messages: list[dict[str, Any]]) -> ASGIApp:
    """Make an application that answers every request with these messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return Router([Mount("/", app)])


async def _stock(app: ASGIApp, config: Config, bound: socket.socket, stop: asyncio.Event) -> None:
    config.bind = [f"fd://{bound.detach()}"]
    await stock(cast("Any", app), config, shutdown_trigger=stop.wait)


async def _ours(app: ASGIApp, config: Config, bound: socket.socket, stop: asyncio.Event) -> None:
    await ours(app, config, [bound], stopped=stop.wait, quiet=lambda: None)


async def _asked(app: ASGIApp, serve: _Serve, method: str) -> bytes:
    """Ask a server that runs an application; returns all that it said until it closed, but for dates."""
    config = Config()
    config.errorlog = None
    config.graceful_timeout = 1
    stop = asyncio.Event()
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    serving = asyncio.create_task(serve(app, config, bound, stop))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    said = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    stop.set()
    await asyncio.wait_for(serving, 10)
    return re.sub(rb"date: [^\r]*", b"", said)
