"""A component's own limits: ``timeout`` and ``maxConcurrency`` in its manifest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from jackfield.chain.patience import gaps, whole
from jackfield.events import Event

__all__ = ["Limits"]

T = TypeVar("T")
_ORIGIN = "the timeout in the component's manifest"


class Limits:
    """Time and concurrency limits of one component.

    Args:
        timeout: seconds for a whole unary reply; of a streamed one, for the first event and then for each gap.
        max_concurrency: how many calls of the provider may run at once; further ones wait their turn.
    """

    def __init__(self, *, timeout: float | None = None, max_concurrency: int | None = None) -> None:
        self._timeout = timeout or None
        self._places = asyncio.Semaphore(max_concurrency) if max_concurrency else None

    async def enter(self) -> None:
        """Wait for a place among the running calls."""
        if self._places is not None:
            await self._places.acquire()

    def leave(self) -> None:
        """Give the place back."""
        if self._places is not None:
            self._places.release()

    def whole(self, reply: Awaitable[T]) -> Awaitable[T]:
        """Put the time limit around a whole reply; when it runs out, ``ProviderTimeout`` is raised."""
        return reply if self._timeout is None else whole(reply, self._timeout, _ORIGIN)

    def gaps(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Put the time limit around the wait for each event of a streamed reply."""
        return events if self._timeout is None else gaps(events, self._timeout, _ORIGIN)
