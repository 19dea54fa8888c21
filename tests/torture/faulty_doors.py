"""Servers that no request gets through to: ports nobody listens on, handshakes that fail, names that don't resolve."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import trustme
from faulty_call import Kind

__all__ = ["CONNECT_SECONDS", "Door", "doors"]

CONNECT_SECONDS: Final = 0.7
"""The ``connectTimeout`` of the components behind doors."""

_RESET: Final = struct.pack("ii", 1, 0)
_Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Door:
    """An address, and what becomes of those who go there.

    Attributes:
        name: its name.
        endpoint: what a manifest's ``endpoint`` has to say.
        kind: how a call ends.
        words: what the error says besides.
        connections: how many there were; None where nobody can count them.
    """

    name: str
    endpoint: str
    kind: Kind
    words: str
    connections: int | None = 0


async def _reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def _close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _close_after_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(5)
    writer.close()


async def _reset_after_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(5)
    await _reset(reader, writer)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(5)
    writer.write(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n")
    await writer.drain()
    writer.close()


class _Street:
    """The servers, and the doors that lead to them."""

    def __init__(self) -> None:
        self.doors: list[Door] = []
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(
        self, name: str, act: _Act, kind: Kind, words: str, *, tls: ssl.SSLContext | None = None, scheme: str = "http"
    ) -> None:
        """Listen. Those whose handshake fails are not seen here, and so not counted."""
        door = Door(name, "", kind, words, 0 if tls is None else None)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            if door.connections is not None:
                door.connections += 1
            with suppress(ConnectionError, asyncio.CancelledError):
                await act(reader, writer)
            if act is not _close:
                writer.transport.abort()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        self._servers.append(server)
        door.endpoint = f"{'https' if tls else scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self.doors.append(door)

    async def close(self) -> None:
        """End everything."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _certificates(authority: trustme.CA) -> Iterator[tuple[str, ssl.SSLContext, str]]:
    """Certificates with which no handshake ends well: names, contexts, and what the error says."""
    expired = datetime(2020, 1, 1, tzinfo=UTC)
    for name, certificate in (
        ("tls-wrong-name", authority.issue_cert("other.test")),
        ("tls-stranger", trustme.CA().issue_cert("127.0.0.1")),
        ("tls-expired", authority.issue_cert("127.0.0.1", not_after=expired)),
    ):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        yield name, context, "no trusted connection to "
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    yield "tls-wants-a-certificate", context, "network error: "


@asynccontextmanager
async def doors(authority: trustme.CA) -> AsyncIterator[list[Door]]:
    """Open all doors while the context lasts.

    Args:
        authority: the one whose certificates the components trust.
    """
    street = _Street()
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unheard.getsockname()[1]}"
        street.doors += [
            Door("refused", f"http://{nobody}/v1", Kind.BROKE, f"failed to reach API server {nobody}", None),
            Door("unknown-name", "http://gone.test/v1", Kind.BROKE, "its name can't be resolved", None),
            Door("slow-name", "http://after-600.test/v1", Kind.LATE, "connectTimeout", None),
        ]
        await street.open("reset", _reset, Kind.BROKE, "")
        await street.open("closed", _close, Kind.BROKE, "the connection to ")
        for act in (_close_after_hello, _reset_after_hello, _rubbish):
            name = f"tls-{act.__name__.strip('_').replace('_', '-')}"
            await street.open(name, act, Kind.BROKE, "", scheme="https")
        await street.open("tls-silent", _silent, Kind.LATE, "connectTimeout", scheme="https")
        for name, context, words in _certificates(authority):
            await street.open(name, _silent, Kind.BROKE, words, tls=context)
        try:
            yield street.doors
        finally:
            await street.close()
