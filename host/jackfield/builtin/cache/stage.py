"""The cache stage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from time import time
from typing import Self

from jackfield import ChainBuild, ConversationRequest, Event, Handler, Record, Result, collect, unary
from jackfield.builtin.cache.directives import Directives, read_directives
from jackfield.builtin.cache.flights import Flight
from jackfield.builtin.cache.guard import Guard
from jackfield.builtin.cache.leases import Lease
from jackfield.builtin.cache.stored import Failed, Kept, encode, key_of

__all__ = ["CacheHandler"]

_FAILURE_KEPT = 1.0
"""Seconds for which other replicas that wait can see that a call has failed."""


class CacheHandler:
    """Answers from what is kept, or has the inner handler called once for all who ask the same.

    Args:
        handler: what gives the replies.
        build: the component.
        guard: the store.
    """

    def __init__(self, handler: Handler, build: ChainBuild, guard: Guard) -> None:
        self._handler = handler
        self._answer = unary(handler)
        self._name = build.name
        self._digest = build.digest
        self._ttl = build.policies.response_cache_ttl
        self._header = (build.policies.cache_partition_header or "").lower()
        self._guard = guard
        self._flights: dict[str, Flight] = {}

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request."""
        ttl = self._ttl_of(request)
        if ttl is None:
            return self._handler(request)
        found = self._directives(request, ttl)
        return self._handler(request) if found is None else self._events(request, found)

    def answer(self, request: ConversationRequest) -> Awaitable[Result]:
        """Answer a request without ``stream``."""
        ttl = self._ttl_of(request)
        if ttl is None:
            return self._answer(request)
        found = self._directives(request, ttl)
        return self._answer(request) if found is None else self._result(request, found)

    def _ttl_of(self, request: ConversationRequest) -> float | None:
        """Return how long the reply may be kept; None where nobody has asked for that."""
        if request.cache_ttl is not None:
            return request.cache_ttl
        return (self._ttl if self._ttl is not None else request.default_cache_ttl) or None

    def _directives(self, request: ConversationRequest, ttl: float) -> Directives | None:
        """Read what the caller wants of the cache, and find the key; None to pass it by."""
        record = request.record
        found = read_directives(request, ttl)
        if isinstance(found, str):
            record.cache, record.cache_note = "bypass", found
            return None
        try:
            # With the header's name: a manifest that parts by another one begins anew.
            partition = f"{self._header}: {request.headers.get(self._header)}" if self._header else ""
            found.key = record.cache_key = key_of(request, self._digest, partition)
        except Exception as error:  # noqa: BLE001  a plugin may put anything into a request
            record.cache, record.cache_note = "bypass", f"the request has no key: {type(error).__name__}"
            return None
        return found

    async def _result(self, request: ConversationRequest, wanted: Directives) -> Result:
        boarded = await self._board(request.record, wanted)
        if isinstance(boarded, Kept):
            return boarded.result
        if boarded is None:
            result = await self._answer(request)
            await self._keep(request.record, wanted, self._kept(request.record, wanted, result))
            return result
        async with _Leading(self, boarded, wanted) as leading:
            result = await self._answer(request)
            await leading.landed(request.record, result)
        return result

    async def _events(self, request: ConversationRequest, wanted: Directives) -> AsyncGenerator[Event, None]:
        if not request.stream:
            yield await self._result(request, wanted)
            return
        boarded = await self._board(request.record, wanted)
        if isinstance(boarded, Kept):
            for event in boarded.result.events():
                yield event
            return
        seen: list[Event] = []
        if boarded is None:
            async with aclosing(self._handler(request)) as events:
                async for event in events:
                    seen.append(event)
                    yield event
            if (whole := await _gathered(request.record, seen)) is not None:
                await self._keep(request.record, wanted, self._kept(request.record, wanted, whole))
            return
        async with _Leading(self, boarded, wanted) as leading, aclosing(self._handler(request)) as events:
            async for event in events:
                seen.append(event)
                boarded.handed_over()
                yield event
                boarded.asked()
            if (whole := await _gathered(request.record, seen)) is not None:
                await leading.landed(request.record, whole)
            else:
                boarded.land("failed")  # those who wait get nothing from it, and call for themselves

    async def _board(self, record: Record, wanted: Directives) -> Kept | Flight | None:
        """Find a reply, or take the lead; None means to call the provider apart from the others."""
        key = wanted.key
        if wanted.refresh:
            record.cache, record.cache_note = "miss", "no-cache: called anew"
            return None
        if not self._guard.waits and isinstance(kept := await self._guard.get(key), Kept):
            return _hit(record, kept, "hit")
        while (flight := self._flights.get(key)) is not None:
            landing = await flight.landing()
            if isinstance(landing, Kept):
                return _hit(record, landing, "coalesced")
            if landing == "failed":
                record.cache, record.cache_note = "miss", "the call that it waited for failed"
                return None
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight = self._flights[key] = Flight()
        record.cache = "miss"
        if not self._guard.waits:
            return flight
        return await self._board_shared(record, flight, key)

    async def _board_shared(self, record: Record, flight: Flight, key: str) -> Kept | Flight | None:
        """Ask a store that others may use: for the reply, then for the lead among all replicas."""
        leading = False
        lease = Lease(self._guard, key, flight)
        try:
            kept = await self._guard.get(key)
            found = kept if isinstance(kept, Kept) else None
            how = "hit"
            if found is None and self._guard.shared:
                taken = await lease.take()
                if taken == "failed":
                    flight.land("failed")
                    record.cache_note = "the call that it waited for failed"
                    return None
                if isinstance(taken, Kept):
                    found, how = taken, "coalesced"
            if found is not None:
                flight.land(found)
                return _hit(record, found, how)
            leading = True
            return flight
        finally:
            if not leading:
                flight.land("abandoned")
                self._gone(key, flight)

    def _kept(self, record: Record, wanted: Directives, result: Result) -> Kept:
        ignored = tuple(name for name in record.ignored if name not in wanted.ignored)
        return Kept(result, time(), record.served_by or self._name, ignored)

    async def _keep(self, record: Record, wanted: Directives, kept: Kept) -> None:
        try:
            value = encode(kept)
        except Exception as error:  # noqa: BLE001  a plugin may put anything into a reply
            record.cache_note = f"the reply can't be kept: {type(error).__name__}"
            return
        await self._guard.set(wanted.key, value, wanted.ttl)
        record.cache_note = record.cache_note or f"kept for {wanted.ttl:g} s"

    def _gone(self, key: str, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Leading:
    """A call of the provider that others wait for, from its begin to the end of the lease."""

    def __init__(self, handler: CacheHandler, flight: Flight, wanted: Directives) -> None:
        self._handler = handler
        self._guard = handler._guard  # noqa: SLF001  the two are one
        self._flight = flight
        self._wanted = wanted
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._guard.shared:
            lease = Lease(self._guard, self._wanted.key, self._flight)
            self._renewing = asyncio.get_running_loop().create_task(lease.renew(), name="cache lease")
        return self

    async def landed(self, record: Record, result: Result) -> None:
        """Keep the reply, and give it to those who wait."""
        kept = self._handler._kept(record, self._wanted, result)  # noqa: SLF001
        self._flight.land(kept)
        await self._handler._keep(record, self._wanted, kept)  # noqa: SLF001

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._flight.land("failed" if isinstance(error, Exception) else "abandoned")
        self._handler._gone(self._wanted.key, self._flight)  # noqa: SLF001
        if self._renewing is not None:
            self._renewing.cancel()
            # Those of other replicas are told even if this request was cancelled; the store's time limit bounds it.
            ending = asyncio.get_running_loop().create_task(self._end(self._renewing))
            await asyncio.shield(ending)

    async def _end(self, renewing: asyncio.Task[None]) -> None:
        await asyncio.wait([renewing])  # a renewal that comes after the release would keep the others out
        if self._flight.failed:
            await self._guard.set(self._wanted.key, encode(Failed()), _FAILURE_KEPT)
        await Lease(self._guard, self._wanted.key, self._flight).release()


def _hit(record: Record, kept: Kept, how: str) -> Kept:
    record.cache, record.served_by = how, kept.served_by
    record.model = kept.result.model or record.model
    if kept.ignored:
        record.ignored += tuple(name for name in kept.ignored if name not in record.ignored)
    if how == "hit":
        record.cache_age = max(time() - kept.at, 0.0)
    return kept


async def _gathered(record: Record, events: list[Event]) -> Result | None:
    """Put a streamed reply together; None if it has something that only a stream has a place for."""
    try:
        return await collect(_replayed(events))
    except TypeError:
        record.cache_note = "the reply can't be kept: a piece of it is of a kind that the host doesn't know"
        return None


async def _replayed(events: list[Event]) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event
