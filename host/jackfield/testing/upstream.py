"""An HTTP server for tests of components that call one.

It listens on a port of the kernel's choice, keeps what it was asked, and answers as its behaviour says: any coroutine
function that takes an ``Exchange``. A ``Script`` is one that speaks a provider's dialect.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import msgspec

__all__ = ["EVENT_STREAM", "Behaviour", "Exchange", "FakeUpstream", "event_stream", "hang", "reset"]

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
"""The content type of server-sent events."""


@dataclass(kw_only=True)
class Exchange:
    """One request, and the means to answer it.

    Attributes:
        method: the HTTP method.
        target: the request's target as it stands in its first line.
        headers: the request's headers, with names in lower case.
        data: the request's body.
        connection: the number of the connection it came on, counted from 0.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    data: bytes
    connection: int
    reader: asyncio.StreamReader = field(repr=False)
    writer: asyncio.StreamWriter = field(repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The request's body as JSON."""
        return msgspec.json.decode(self.data, type=dict[str, Any])

    async def send(self, status: int, body: bytes | Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a whole body; anything but bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send_raw(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + data)

    async def send_events(
        self, pieces: Sequence[bytes], *, whole: bool = True, content_type: str = EVENT_STREAM
    ) -> None:
        """Answer with a stream of events, one chunk per piece.

        Args:
            pieces: the stream, cut anywhere.
            whole: False to leave out the end of the body.
            content_type: what the stream is made of.
        """
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await self.send_raw(head.encode())
        for piece in pieces:
            await self.send_raw(b"%x\r\n%s\r\n" % (len(piece), piece))
        if whole:
            await self.send_raw(b"0\r\n\r\n")

    async def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()


Behaviour: TypeAlias = Callable[[Exchange], Awaitable[None]]


async def hang(exchange: Exchange) -> None:
    """Send nothing until the client leaves."""
    await exchange.reader.read()


async def reset(exchange: Exchange) -> None:
    """Break the connection so that the client gets a reset."""
    exchange.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    exchange.writer.transport.abort()


def event_stream(chunks: Sequence[Any], *, done: bool = True) -> list[bytes]:
    """Write chunks as server-sent events without names, with ``[DONE]`` after them, as OpenAI's API does."""
    events = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return [*events, b"data: [DONE]\n\n"] if done else events


class FakeUpstream:
    """The server; use it with ``async with``.

    Args:
        behaviour: how to answer; a test may change it.
        tls: what to serve https with, None for http.

    Attributes:
        requests: what was asked so far.
        connections: how many connections there were.
        asked: set when a request has arrived.
        closed: set when a connection has ended.
    """

    def __init__(self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.requests: list[Exchange] = []
        self.connections = 0
        self.closed = asyncio.Event()
        self.asked = asyncio.Event()
        self.port = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """The server's address without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        """The base address of an API that lies below ``/v1``."""
        return f"{self.address}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        number = self.connections
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    exchange = await _receive(reader, writer, number)
                    self.requests.append(exchange)
                    self.asked.set()
                    await self.behaviour(exchange)
        finally:
            self.closed.set()
            writer.transport.abort()


async def _receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    return Exchange(
        method=method,
        target=target,
        headers=headers,
        data=data,
        connection=connection,
        reader=reader,
        writer=writer,
    )
