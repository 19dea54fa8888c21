"""Servers that no request ever gets through to: ports without a listener, handshakes that fail, names that don't resolve."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
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


@asynccontextmanager
async def doors(authority: trustme.CA) -> AsyncIterator[list[Door]]:
    """Open all doors while the context lasts.

    Args:
        authority: the one whose certificates the components trust.
    """
    made: list[Door] = []
    tasks: set[asyncio.Task[None]] = set()
    servers: list[asyncio.Server] = []

    async def open_door(
        name: str, act: _Act, kind: Kind, words: str, *, tls: ssl.SSLContext | None = None, host: str = "", scheme: str = ""
    ) -> None:
        door = Door(name, "", kind, words)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            if tls is None and door.connections is not None:
                door.connections += 1
            with suppress(ConnectionError, asyncio.CancelledError):
                await act(reader, writer)
            if act is not _close:
                writer.transport.abort()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        door.connections = None if tls is not None else 0
        port = server.sockets[0].getsockname()[1]
        door.endpoint = f"{scheme or ('https' if tls else 'http')}://{host or '127.0.0.1'}:{port}/v1"
        made.append(door)

    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unheard.getsockname()[1]}"
        made.append(Door("refused", f"http://{nobody}/v1", Kind.BROKE, f"failed to reach API server {nobody}", None))
        made.append(Door("unknown-name", "http://gone.test/v1", Kind.BROKE, "its name can't be resolved", None))
        made.append(Door("slow-name", "http://after-600.test/v1", Kind.LATE, "connectTimeout", None))
        broke = "the connection to "
        await open_door("reset", _reset, Kind.BROKE, "")
        await open_door("closed", _close, Kind.BROKE, broke)
        for act in (_close_after_hello, _reset_after_hello, _rubbish):
            await open_door(f"tls-{act.__name__.strip('_').replace('_', '-')}", act, Kind.BROKE, "", scheme="https")
        await open_door("tls-silent", _silent, Kind.LATE, "connectTimeout", scheme="https")
        stranger, expired = trustme.CA(), datetime(2020, 1, 1, tzinfo=UTC)
        for name, certificate in (
            ("tls-wrong-name", authority.issue_cert("other.test")),
            ("tls-stranger", stranger.issue_cert("127.0.0.1")),
            ("tls-expired", authority.issue_cert("127.0.0.1", not_after=expired)),
        ):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
            await open_door(name, _silent, Kind.BROKE, "no trusted connection to ", tls=context)
        wanting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(wanting)
        authority.configure_trust(wanting)
        wanting.verify_mode = ssl.CERT_REQUIRED
        await open_door("tls-wants-a-certificate", _silent, Kind.BROKE, broke, tls=wanting)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # asyncio tells of every handshake that a client gives up
        try:
            yield made
        finally:
            for server in servers:
                server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            loop.set_exception_handler(None)
