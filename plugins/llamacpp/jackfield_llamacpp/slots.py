"""The engine's slots, and the line of those who wait for one."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress

from jackfield import Overloaded

__all__ = ["Slots"]


class Slots:
    """Counts free slots, first come first served. Waiting happens on the event loop, where it can be cancelled at once.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """How many slots nobody has."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many requests stand in line."""
        return len(self._line)

    async def take(self, wanted: int, *, longest_line: int) -> None:
        """Take ``wanted`` slots at once; each is given back by ``give_back``.

        Args:
            wanted: at most ``count``.
            longest_line: how many may stand in line, this one included.

        Raises:
            Overloaded: the line is that long already.
        """
        with self._lock:
            if not self._line and self._free >= wanted:
                self._free -= wanted
                return
            if len(self._line) >= longest_line:
                raise Overloaded(
                    f"all {self.count} slots of the model are busy and {len(self._line)} requests wait for one; "
                    "try again later, or raise parallel or maxQueue in the manifest"
                )
            turn = asyncio.get_running_loop().create_future()
            self._line.append((wanted, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self._leave(wanted, turn)
            raise

    def give_back(self, count: int) -> None:
        """Give slots back, from any thread."""
        with self._lock:
            self._free += count
            self._serve()

    def _leave(self, wanted: int, turn: asyncio.Future[None]) -> None:
        with self._lock:
            before = len(self._line)
            self._line = deque(entry for entry in self._line if entry[1] is not turn)
            if len(self._line) == before:  # it had been served in the same moment
                self._free += wanted
            self._serve()

    def _serve(self) -> None:
        while self._line and self._free >= self._line[0][0]:
            wanted, turn = self._line.popleft()
            with suppress(RuntimeError):  # its loop is closed, so nobody waits any more
                turn.get_loop().call_soon_threadsafe(_grant, turn)
                self._free -= wanted


def _grant(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
