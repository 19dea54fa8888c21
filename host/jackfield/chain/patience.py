"""A time limit around the wait for a provider: a manifest's own ``timeout``, or that of a Resiliency policy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from jackfield.durations import format_go
from jackfield.errors import ProviderTimeout
from jackfield.events import Event

__all__ = ["gaps", "whole"]

T = TypeVar("T")


async def whole(reply: Awaitable[T], seconds: float, origin: str) -> T:
    """Wait for a whole reply; it is cancelled when the time has run out.

    Args:
        reply: what to wait for.
        seconds: for how long.
        origin: which limit that is, for the error's text.

    Raises:
        ProviderTimeout: it took longer.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await reply
    except TimeoutError:
        if limit.expired():
            raise _expired("no reply", seconds, origin) from None
        raise


async def gaps(
    events: AsyncGenerator[Event, None], seconds: float, origin: str, *, first_only: bool = False
) -> AsyncGenerator[Event, None]:
    """Pass on the events of a streamed reply.

    The limit wraps the wait for one event and never a ``yield``: around that it would end the reader's own work.

    Args:
        events: the reply; the caller closes it.
        seconds: for the first event, and then for each further one.
        origin: which limit that is, for the error's text.
        first_only: the limit is for the first event alone.

    Raises:
        ProviderTimeout: an event took longer.
    """
    first = True
    while first or not first_only:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                event = await anext(events)
        except StopAsyncIteration:
            return
        except TimeoutError:
            if limit.expired():
                raise _expired("no first event" if first else "no further event", seconds, origin) from None
            raise
        first = False
        yield event
    async for event in events:
        yield event


def _expired(what: str, seconds: float, origin: str) -> ProviderTimeout:
    return ProviderTimeout(f"{what} within {format_go(seconds)}, {origin}")
