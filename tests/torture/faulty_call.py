"""One call of the faulty upstream: what was asked, what would be right, and how a call may end by the docs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import msgspec

from jackfield.messages import ConversationRequest
from jackfield.testing import Dialect, Exchange, Say

__all__ = ["LATE", "LATE_BEGUN", "OK", "OPEN", "Act", "Call", "Ending", "Fault", "Kind"]


class Kind(StrEnum):
    """How a call ends, in the words of docs/operators/errors.md and resilience.md."""

    OK = "answered"
    STATUS = "refused with a status"
    NONSENSE = "nonsense"
    BROKE = "no connection, or a broken one"
    LATE = "too late"
    OPEN = "not asked: the breaker is open"


@dataclass(frozen=True)
class Ending:
    """How a call may end.

    Attributes:
        kind: the kind of end.
        status: the provider's status, where it gave one.
        begun: a stream had its first event by then, so that the reply is committed to this provider.
        retry_after: the seconds for which the provider wants to be left alone.
    """

    kind: Kind
    status: int = 0
    begun: bool = False
    retry_after: float = 0.0


OK = Ending(Kind.OK)
LATE = Ending(Kind.LATE)
LATE_BEGUN = Ending(Kind.LATE, begun=True)
OPEN = Ending(Kind.OPEN)


@dataclass(kw_only=True)
class Call:
    """A request that has arrived.

    Attributes:
        exchange: the means to answer it.
        dialect: how its API writes.
        asked: what was asked.
        said: what a well upstream answers.
        key: the key that came with it.
    """

    exchange: Exchange
    dialect: Dialect
    asked: ConversationRequest
    said: Say
    key: str

    @property
    def stream(self) -> bool:
        """Whether a stream is wanted."""
        return self.asked.stream

    def whole(self) -> bytes:
        """Write the right answer in one piece."""
        body = self.dialect.whole(self.said, self.exchange)
        return body if isinstance(body, bytes) else msgspec.json.encode(body)

    def pieces(self) -> list[bytes]:
        """Write the right answer as a stream, in pieces of one event."""
        return list(self.dialect.pieces(self.said, self.exchange))

    def half(self) -> list[bytes]:
        """The first half of these: some text has been said by then, and the end isn't in sight."""
        pieces = self.pieces()
        return pieces[: len(pieces) // 2]

    async def right(self, headers: Mapping[str, str] | None = None) -> None:
        """Answer as a well upstream does."""
        if self.stream:
            await self.exchange.send_events(self.pieces(), content_type=self.dialect.stream_type)
        else:
            await self.exchange.send(200, self.whole(), headers)

    async def begin(self, pieces: list[bytes]) -> None:
        """Stream some pieces, without the end of the body."""
        await self.exchange.send_events(pieces, whole=False, content_type=self.dialect.stream_type)

    async def raw(self, head: str, body: bytes = b"") -> None:
        """Send a status line, headers and a body as they are; the lines end in LF here."""
        await self.exchange.send_raw(head.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    def close(self) -> None:
        """End the connection once all is sent."""
        self.exchange.writer.close()


Act: TypeAlias = Callable[[Call], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    Attributes:
        name: its name, for the report.
        act: does it.
        whole: how a call for a whole reply may end, by the docs; empty where the fault is one of streams alone.
        streamed: the same of a call for a stream.
        silent: the connection is closed without a byte of an answer. If it was used before, the host asks once more by
            itself, as servers close kept connections at any time.
        share: how often it is drawn, beside the others' 1.
    """

    name: str
    act: Act
    whole: frozenset[Ending] = field(default_factory=frozenset)
    streamed: frozenset[Ending] = field(default_factory=frozenset)
    silent: bool = False
    share: float = 1.0

    def endings(self, *, stream: bool) -> frozenset[Ending]:
        """How a call may end."""
        return self.streamed if stream else self.whole
