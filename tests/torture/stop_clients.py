"""Clients that never stop asking, over connections whose every byte they see, and what became of each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Literal

from sse_reply import events_of, words_of

__all__ = ["Asked", "Clients", "CutOff", "Outcome", "Unread", "read_reply"]

Outcome = Literal["answered", "refused", "closed unread", "cut", "wrong"]
_PATIENCE = 60.0


class Unread(ConnectionError):
    """A connection ended without a byte of a reply."""


class CutOff(ConnectionError):
    """A connection ended within a reply."""


@dataclass
class Asked:
    """One request.

    Attributes:
        kind: the client's, such as ``kept unary``.
        nonce: what makes its text its own.
        silent: seconds for which its connection had been silent when it was sent.
        worker: the process id of the worker that has its connection; 0 if nobody has asked.
        opened: when its connection was made, as ``monotonic`` has it.
        sent: when it was sent.
        connected: whether there was a connection to send it on.
        outcome: what became of it; empty while it runs.
        detail: more about that.
        ended: when that was known.
    """

    kind: str
    nonce: str
    silent: float = 0.0
    worker: int = 0
    opened: float = 0.0
    sent: float = 0.0
    connected: bool = False
    outcome: Outcome | Literal[""] = ""
    detail: str = ""
    ended: float = 0.0


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    opened: float
    heard: float
    worker: int = 0
    ended: bool = False


@dataclass
class Clients:
    """Ask one host, each client in a task of its own, until it takes no connection any more.

    Attributes:
        port: where the host listens on 127.0.0.1.
        unix: or this Unix socket.
        random: draws pauses.
        named: ask on every connection first which worker has it.
        asked: every request so far.
    """

    port: int
    unix: Path | None
    random: Random
    named: bool = False
    asked: list[Asked] = field(default_factory=list)
    _number: int = 0

    async def ready(self) -> None:
        """Wait until the host says that it is ready; that has no signal outside it."""
        async with asyncio.timeout(_PATIENCE):
            status = 0
            while status != 204:
                reader, writer = await self._connect()
                with closing(writer):
                    writer.write(b"GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    status = int((await reader.readline()).split()[1])
                await asyncio.sleep(0.02)

    async def metadata(self) -> dict[str, Any]:
        """Ask for what the host says of its workers."""
        reader, writer = await self._connect()
        try:
            return await _metadata(_Connection(reader, writer, monotonic(), monotonic()))
        except (Unread, CutOff):
            return {"workers": []}  # whoever has just been killed had taken this connection
        finally:
            writer.close()

    async def kept(self, kind: str, text: str, *, stream: bool = False, pause: float = 0.05) -> None:
        """Ask again and again on a connection that is kept, and on another one when the host has ended it."""
        while True:
            connection = await self._open(kind)
            if connection is None:
                return
            with closing(connection.writer):
                while not (connection.ended or connection.reader.at_eof()):
                    await self._ask(connection, kind, text, stream=stream)
                    if not connection.ended:
                        await asyncio.sleep(self.random.uniform(0, pause))  # a client at its own work

    async def fresh(self, kind: str, text: str, *, before: float = 0.0, pause: float = 0.05) -> None:
        """Ask each time on a connection of its own, up to ``before`` seconds after it was made."""
        while True:
            connection = await self._open(kind)
            if connection is None:
                return
            with closing(connection.writer):
                await asyncio.sleep(self.random.uniform(0, before))
                if not connection.ended:
                    await self._ask(connection, kind, text)
            await asyncio.sleep(self.random.uniform(0, pause))

    async def call(self, kind: str, call: Callable[[str], Awaitable[None]], refused: type[BaseException]) -> None:
        """Make calls of another protocol until one is refused."""
        while True:
            asked = self._new(kind)
            asked.sent, asked.connected = monotonic(), True
            try:
                await call(asked.nonce)
            except refused as error:
                self._end(asked, "refused", str(error))
                return
            except AssertionError as error:
                self._end(asked, "wrong", str(error))
            else:
                self._end(asked, "answered")
            await asyncio.sleep(self.random.uniform(0, 0.02))

    def _new(self, kind: str) -> Asked:
        self._number += 1
        asked = Asked(kind, f"{kind.replace(' ', '-')}-{self._number}")
        self.asked.append(asked)
        return asked

    @staticmethod
    def _end(asked: Asked, outcome: Outcome, detail: str = "") -> None:
        asked.outcome, asked.detail, asked.ended = outcome, detail, monotonic()

    async def _open(self, kind: str) -> _Connection | None:
        """Open a connection; None if nobody takes it any more, which is noted as a request that was refused."""
        began = monotonic()
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await self._connect()
        except OSError as error:
            asked = self._new(kind)
            asked.sent = began
            self._end(asked, "refused", type(error).__name__)
            return None
        connection = _Connection(reader, writer, monotonic(), monotonic())
        if self.named:
            asked = self._new("metadata")
            asked.opened, asked.sent, asked.connected = connection.opened, monotonic(), True
            try:
                document = await _metadata(connection)
            except (Unread, CutOff) as error:
                self._end(asked, "cut", str(error))
                connection.ended = True
            except asyncio.CancelledError:
                writer.close()
                raise
            else:
                self._end(asked, "answered")
                connection.worker = next(
                    worker["pid"] for worker in document["workers"] if worker["worker"] == document["worker"]
                )
        return connection

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.unix is not None:
            return await asyncio.open_unix_connection(self.unix)
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _ask(self, connection: _Connection, kind: str, text: str, *, stream: bool = False) -> None:
        asked = self._new(kind)
        said = f"{text.partition(' ')[2]} {asked.nonce}"
        message = {"ofUser": {"content": [{"text": said}]}}
        body = json.dumps({"inputs": [{"messages": [message]}], "stream": stream}).encode()
        path = f"/v1.0-alpha2/conversation/{text.partition(' ')[0]}/converse"
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        asked.sent, asked.connected = monotonic(), True
        asked.worker, asked.opened = connection.worker, connection.opened
        asked.silent = asked.sent - connection.heard
        try:
            async with asyncio.timeout(_PATIENCE):
                with suppress(ConnectionError):  # what has been sent back is read all the same
                    connection.writer.write(head + body)
                    await connection.writer.drain()
                status, headers, reply = await read_reply(connection.reader)
        except Unread as error:
            self._end(asked, "closed unread", str(error))
        except CutOff as error:
            self._end(asked, "cut", str(error))
        except TimeoutError:
            self._end(asked, "wrong", f"no whole reply within {_PATIENCE:.0f} s")
        else:
            connection.heard = monotonic()
            connection.ended = headers.get("connection", "").lower() == "close"
            complaint = _complaint(status, reply, said, stream=stream)
            self._end(asked, "wrong" if complaint else "answered", complaint)
            return
        connection.ended = True


def _complaint(status: int, reply: bytes, said: str, *, stream: bool) -> str:
    """Say what is wrong with a reply; empty if it is the right one."""
    if status != 200:
        return f"{status} {reply[:200]!r}"
    if not stream:
        text = json.loads(reply)["outputs"][0]["choices"][0]["message"]["content"]
        return "" if text == said else f"it says {text!r} and was asked {said!r}"
    events = events_of(reply)
    if not events or events[-1].name != "done":
        return f"the stream ends with {events[-1] if events else reply!r}"
    text = words_of(events)
    return "" if text == said else f"the stream says {text!r} and was asked {said!r}"


async def _metadata(connection: _Connection) -> dict[str, Any]:
    with suppress(ConnectionError):
        connection.writer.write(b"GET /v1.0/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await connection.writer.drain()
    document: dict[str, Any] = json.loads((await read_reply(connection.reader))[2])["jackfield"]
    return document


async def read_reply(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Read one whole reply: its status, its headers and its body.

    Raises:
        Unread: the connection ended before it.
        CutOff: the connection ended within it.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise CutOff(f"within the head, after {error.partial!r}") from None
        raise Unread("closed") from None
    except ConnectionError as error:
        raise Unread(type(error).__name__) from None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    try:
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        else:
            body = await _chunks(reader)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
        raise CutOff(f"within the body: {type(error).__name__}") from None
    return int(first.split()[1]), headers, body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if not size:
            return body
