"""A component's own limits: ``timeout`` and ``maxConcurrency`` in its manifest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from jackfield.durations import format_go
from jackfield.errors import ProviderTimeout
from jackfield.events import Event

__all__ = ["Limits"]

T = TypeVar("T")


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

    async def whole(self, reply: Awaitable[T]) -> T:
        """Wait for a whole reply.

        Raises:
            ProviderTimeout: it took longer than ``timeout``.
        """
        if self._timeout is None:
            return await reply
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await reply
        except TimeoutError:
            if limit.expired():
                raise self._expired("no reply") from None
            raise

    async def gaps(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Pass on the events of a streamed reply.

        The limit wraps the wait for one event and never a ``yield``: around that it would end the reader's own work.

        Raises:
            ProviderTimeout: the next event took longer than ``timeout``.
        """
        if self._timeout is None:
            async for event in events:
                yield event
            return
        first = True
        while True:
            limit = asyncio.timeout(self._timeout)
            try:
                async with limit:
                    event = await anext(events)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if limit.expired():
                    raise self._expired("no first event" if first else "no further event") from None
                raise
            first = False
            yield event

    def _expired(self, what: str) -> ProviderTimeout:
        assert self._timeout is not None  # noqa: S101  only a limit that exists can run out
        return ProviderTimeout(f"{what} within {format_go(self._timeout)}, the timeout in the component's manifest")
