"""Single flight: of identical requests that come together one calls the provider, and the others wait for its reply."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Literal, TypeAlias
from uuid import uuid4

from jackfield.builtin.cache.stored import Kept

__all__ = ["Flight", "Landing"]

Landing: TypeAlias = Kept | Literal["failed", "abandoned"]
"""What came of a flight: a reply, an error that isn't shared, or a leader that is gone or stalled."""

STALL = 1.0
"""Seconds for which a leader may wait for its own reader."""


class Flight:
    """One call of the provider that others wait for."""

    def __init__(self) -> None:
        self.holder = uuid4().hex
        self._landed: asyncio.Future[Landing] = asyncio.get_running_loop().create_future()
        self._reading_since: float | None = None

    @property
    def over(self) -> bool:
        """Whether nobody needs to wait any more."""
        return self._landed.done()

    @property
    def failed(self) -> bool:
        """Whether those who wait were told to call for themselves; not so if the leader had given up before."""
        return self._landed.done() and self._landed.result() == "failed"

    def land(self, landing: Landing) -> None:
        """Tell those who wait; only the first landing counts."""
        if not self._landed.done():
            self._landed.set_result(landing)

    def handed_over(self) -> None:
        """Note that the leader's reader has an event, and that the next isn't asked for yet."""
        self._reading_since = monotonic()

    def asked(self) -> None:
        """Note that the reader wants the next event."""
        self._reading_since = None

    def give_up_if_stalled(self) -> None:
        """End the flight if the leader's reader keeps everybody waiting."""
        if self._left() <= 0:
            self.land("abandoned")

    async def landing(self) -> Landing:
        """Wait for what comes of it."""
        while not self._landed.done():
            await asyncio.wait([self._landed], timeout=max(self._left(), 0.001))
            self.give_up_if_stalled()
        return self._landed.result()

    def _left(self) -> float:
        return STALL if self._reading_since is None else self._reading_since + STALL - monotonic()
