"""A ``timeout`` policy around one attempt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from jackfield.durations import format_go
from jackfield.errors import ProviderTimeout
from jackfield.events import Event
from jackfield.resilience.definitions import TimeoutPolicy

__all__ = ["gaps", "whole"]

T = TypeVar("T")


async def whole(reply: Awaitable[T], limit: TimeoutPolicy) -> T:
    """Wait for one thing; it is cancelled when the time has run out.

    Raises:
        ProviderTimeout: it took longer than the limit.
    """
    return await _within(reply, limit, "no reply")


async def gaps(
    events: AsyncGenerator[Event, None], limit: TimeoutPolicy, *, first_only: bool
) -> AsyncGenerator[Event, None]:
    """Pass on the events of a streamed reply.

    The limit wraps the wait for one event and never a ``yield``: around that it would end the reader's own work.

    Args:
        events: the reply; the caller closes it.
        limit: for the first event, and then for each further one.
        first_only: for the first event alone.

    Raises:
        ProviderTimeout: an event took longer than the limit.
    """
    try:
        yield await _within(anext(events), limit, "no first event")
        while not first_only:
            yield await _within(anext(events), limit, "no further event")
    except StopAsyncIteration:
        return
    async for event in events:
        yield event


async def _within(reply: Awaitable[T], limit: TimeoutPolicy, what: str) -> T:
    timer = asyncio.timeout(limit.seconds)
    try:
        async with timer:
            return await reply
    except TimeoutError:
        if timer.expired():
            text = f"{what} within {format_go(limit.seconds)}, the timeout {limit.name} of a Resiliency manifest"
            raise ProviderTimeout(text) from None
        raise
