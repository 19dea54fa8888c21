"""When the suite itself stood still: a judge that has slept can't tell when a call came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Stalls"]

_EVERY: Final = 0.05
_LONGEST: Final = 0.4


@dataclass
class Stalls:
    """Watches the event loop on which the clients and the upstreams run.

    Attributes:
        times: from when to when it stood still, by the clock.
        excused: what was not judged for that reason.
    """

    times: list[tuple[float, float]] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch while the context lasts."""
        watch = asyncio.ensure_future(self._watch())
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_EVERY)
            now = time.monotonic()
            if now - before > _LONGEST:
                self.times.append((before, now))

    def excuse(self, began: float, ended: float, text: str, *, certainly: bool = False) -> bool:
        """Say whether it stood still within a time, and take note of what isn't judged then."""
        if not certainly and not any(start < ended and began < end for start, end in self.times):
            return False
        self.excused.append(text)
        return True
