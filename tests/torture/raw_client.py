"""A client that costs little: one kept-alive HTTP/1.1 connection, one request at a time, bytes in and bytes out."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

from chunked import joined

__all__ = ["Answer", "Connection", "LostConnection", "connected", "get", "post"]

_END = b"\r\n\r\n"
_PATIENCE = 30.0


class LostConnection(ConnectionError):
    """The server closed the connection before a reply was whole."""


class Answer(NamedTuple):
    """A whole reply.

    Attributes:
        status: its HTTP status.
        head: status line and headers, in lower case.
        body: its body, out of its chunks.
    """

    status: int
    head: bytes
    body: bytes


class Connection(asyncio.Protocol):
    """One connection; ``ask`` again only after the answer."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[Answer] | None = None
        self.lost = asyncio.get_running_loop().create_future()
        self._first: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        for future in (self.lost, self._first):
            if future is not None and not future.done():
                future.set_result(None)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(LostConnection(f"the connection was closed after {len(self._buffer)} bytes"))

    def data_received(self, data: bytes) -> None:
        """Put a reply together."""
        self._buffer += data
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        answer = _whole(self._buffer)
        if answer is not None and self._waiting is not None:
            self._buffer = b""
            waiting, self._waiting = self._waiting, None
            if not waiting.done():
                waiting.set_result(answer)

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for the whole answer.

        Raises:
            LostConnection: the server closed before.
            TimeoutError: there was none within half a minute.
        """
        if self.lost.done():
            raise LostConnection("the connection was closed between two requests")
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer] = loop.create_future()
        self._waiting = waiting
        late = loop.call_later(_PATIENCE, _give_up, waiting)
        self.transport.write(request)
        try:
            return await waiting
        finally:
            late.cancel()

    def send(self, data: bytes) -> None:
        """Send bytes, and wait for nothing."""
        self.transport.write(data)

    async def first_bytes(self) -> None:
        """Wait until anything of an answer has come, or the connection is lost."""
        if not self._buffer and not self.lost.done():
            self._first = asyncio.get_running_loop().create_future()
            await self._first

    def close(self) -> None:
        """Close it, in the middle of a reply too."""
        self._waiting = None
        self.transport.close()


def _give_up(waiting: asyncio.Future[Answer]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError(f"no whole answer within {_PATIENCE:g} s"))


def _whole(data: bytes) -> Answer | None:
    head, end, body = data.partition(_END)
    if not end:
        return None
    head = head.lower()
    _, found, length = head.partition(b"content-length:")
    if found:
        if len(body) < int(length.partition(b"\r\n")[0]):
            return None
    elif b"transfer-encoding: chunked" in head:
        if not body.endswith(b"0" + _END):
            return None
        body = joined(body)
    return Answer(int(head[9:12]), head, body)


async def connected(port: int) -> Connection:
    """Open a connection to a port of this machine."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


def get(path: str) -> bytes:
    """Write a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes, *lines: str) -> bytes:
    """Write a POST request; ``lines`` are further headers."""
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *lines, f"Content-Length: {len(body)}"])
    return head.encode() + _END + body
