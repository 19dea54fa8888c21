"""The lead among replicas that share a store: a lease that is renewed while the call runs."""

from __future__ import annotations

import asyncio
from typing import Literal

from jackfield.builtin.cache.flights import Flight
from jackfield.builtin.cache.guard import Guard
from jackfield.builtin.cache.stored import Failed, Kept

__all__ = ["LEASE", "Lease"]

LEASE = 5.0
"""Seconds after which a leader that has vanished is replaced."""
_RENEWAL = 1.0
_FIRST_LOOK, _LONGEST_LOOK = 0.01, 0.1


class Lease:
    """The lease on one key.

    Args:
        guard: the store.
        key: what the reply will be kept under.
        flight: the flight that the lease is for.
    """

    def __init__(self, guard: Guard, key: str, flight: Flight) -> None:
        self._guard = guard
        self._key = key
        self._flight = flight

    async def take(self) -> Kept | Literal["leading", "failed"]:
        """Wait for the lease or for the reply, whichever comes first.

        Replicas look at the store again and again: a store has to be able to do no more than the four calls.
        """
        taken: Kept | Literal["leading", "failed"] | None = None
        try:
            taken = await self._wait()
        finally:
            if taken != "leading":
                # Also when this request is cancelled while the store grants the lease: nobody else should wait for it.
                await asyncio.shield(asyncio.ensure_future(self.release()))
        return taken

    async def _wait(self) -> Kept | Literal["leading", "failed"]:
        look, waited = _FIRST_LOOK, False
        while True:
            leading = await self._guard.lease(self._key, self._flight.holder, LEASE)
            found = await self._guard.get(self._key)
            if isinstance(found, Kept):
                return found
            if waited and isinstance(found, Failed):
                return "failed"
            if leading:
                return "leading"
            waited = True
            await asyncio.sleep(look)
            look = min(look * 1.5, _LONGEST_LOOK)

    async def renew(self) -> None:
        """Keep the lease until the flight is over, or its leader's reader stalls."""
        while not self._flight.over:
            await asyncio.sleep(_RENEWAL)
            self._flight.give_up_if_stalled()
            if self._flight.over:
                await self.release()
            else:
                await self._guard.lease(self._key, self._flight.holder, LEASE)

    async def release(self) -> None:
        """Give the lease back."""
        await self._guard.release(self._key, self._flight.holder)
