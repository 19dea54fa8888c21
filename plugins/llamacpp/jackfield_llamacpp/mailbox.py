"""Handing a reply from the engine's thread to the event loop."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["End", "Mailbox", "Piece", "Text", "Tokens"]


@dataclass
class Text:
    """Text of one choice, as the pieces it came in."""

    index: int
    reasoning: bool
    pieces: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class End:
    """The end of one choice, with the engine's word for the reason."""

    index: int
    reason: str


@dataclass(frozen=True)
class Tokens:
    """The engine's count of tokens, for one choice."""

    counts: dict[str, Any]


Piece: TypeAlias = Text | End | Tokens


class Mailbox:
    """Takes pieces from one thread and gives them to one task.

    The engine can't be made to wait without keeping its slot, so a reader that is slow gets more text at a time: what
    lies here is never more than the text that was not yet read. ``stopped`` tells the thread that nobody reads on.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._lock = threading.Lock()
        self._pieces: list[Piece] = []
        self._error: Exception | None = None
        self._ended = False
        self.stopped = False

    def put_text(self, index: int, text: str, *, reasoning: bool) -> None:
        """Add text (from the engine's thread); it joins what lies here if it continues that."""
        with self._lock:
            last = self._pieces[-1] if self._pieces else None
            if not (isinstance(last, Text) and last.index == index and last.reasoning is reasoning):
                last = Text(index, reasoning)
                self._pieces.append(last)
            last.pieces.append(text)
        self._wake()

    def put(self, piece: End | Tokens) -> None:
        """Add anything else (from the engine's thread)."""
        with self._lock:
            self._pieces.append(piece)
        self._wake()

    def end(self, error: Exception | None = None) -> None:
        """Say that nothing follows (from the engine's thread); the reader gets ``error`` after the last piece."""
        with self._lock:
            self._error = error
            self._ended = True
        self._wake()

    async def get(self) -> list[Piece]:
        """Wait for the next pieces and return all there are; an empty list is the end.

        Raises:
            Exception: what the thread ended with.
        """
        while True:
            self._arrived.clear()
            with self._lock:
                pieces, self._pieces = self._pieces, []
                ended = self._ended
            if pieces or ended:
                break
            await self._arrived.wait()
        if not pieces and self._error is not None:
            raise self._error
        return pieces

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._arrived.set)
        except RuntimeError:  # the loop is closed: nobody reads any more
            self.stopped = True
