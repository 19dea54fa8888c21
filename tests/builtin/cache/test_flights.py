"""Who calls the provider, and who waits: the cache stage with handlers whose every step a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from building import builder_of
from msgspec import Struct
from msgspec.structs import replace

from jackfield import (
    Build,
    ChainBuild,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    Handler,
    Headers,
    Message,
    PolicySettings,
    ProviderError,
    Result,
    Settings,
    Supply,
    TextPart,
    Usage,
)
from jackfield.builtin.cache import leases
from jackfield.builtin.cache.guard import Guard
from jackfield.builtin.cache.memory import MemorySettings, MemoryStore
from jackfield.builtin.cache.stage import CacheHandler
from jackfield.builtin.cache.stored import Kept, decode

USAGE = Usage(1, 2, 3)


class Provider:
    """A handler that counts its calls, and waits for the test before each answers."""

    def __init__(self) -> None:
        self.calls = 0
        self.called = asyncio.Event()
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        self.calls += 1
        number = self.calls
        self.called.set()
        if request.stream:
            yield Delta(TextPart(f"answer {number}"))
        await self.go.wait()
        if self.error is not None:
            raise self.error
        if request.stream:
            yield Finish("stop")
            yield USAGE
        else:
            yield Result.of_text(f"answer {number}", usage=USAGE)


class SharedStore(MemoryStore):
    """A store as several replicas see it, with leases that one holder at a time has."""

    shared = True
    timeout = 5.0

    def __init__(self) -> None:
        super().__init__(Build("shared", "cache.shared", MemorySettings()))
        self.leases: dict[str, tuple[str, float]] = {}

    async def lease(self, key: str, holder: str, seconds: float) -> bool:
        now = asyncio.get_running_loop().time()
        other, until = self.leases.get(key, (holder, 0.0))
        if other != holder and until > now:
            return False
        self.leases[key] = (holder, now + seconds)
        return True

    async def release(self, key: str, holder: str) -> None:
        if self.leases.get(key, ("", 0.0))[0] == holder:
            del self.leases[key]


def stage(provider: Handler, store: MemoryStore | None = None, *, header: str | None = None) -> CacheHandler:
    """The cache stage around a provider."""
    store = store or MemoryStore(Build("m", "cache.memory", MemorySettings()))
    policies = PolicySettings(response_cache_ttl=60.0, cache_partition_header=header)
    component: Conversation[Any] = Conversation(Build("c", "conversation.c", Settings()))
    nothing: Any = builder_of
    build = ChainBuild(
        name="c",
        type_name="conversation.c",
        component=component,
        policies=policies,
        digest="d",
        references=nothing,
        targets=nothing,
        supplies=nothing,
    )
    return CacheHandler(provider, build, Guard(Supply(store)))


def request(*, stream: bool = False) -> ConversationRequest:
    """Always the same question."""
    return ConversationRequest(component="c", messages=(Message(role="user", parts=(TextPart("hi"),)),), stream=stream)


async def turns(count: int = 10) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


def start(work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """Begin."""
    return asyncio.get_running_loop().create_task(work)


async def whole(handler: CacheHandler) -> Result:
    """A unary call."""
    return await handler.answer(request())


async def events_of(handler: CacheHandler) -> list[Event]:
    """A streamed call, read to its end."""
    async with aclosing(handler(request(stream=True))) as events:
        return [event async for event in events]


def test_a_cancelled_leader_is_replaced_by_a_follower() -> None:
    """The followers get the reply of a second call, and there is one, not one for each."""

    async def run() -> None:
        provider = Provider()
        handler = stage(provider)
        leader = start(whole(handler))
        await provider.called.wait()
        followers = [start(whole(handler)) for _ in range(5)]
        await turns()
        leader.cancel()
        await turns()
        provider.go.set()
        replies = await asyncio.gather(*followers)
        assert provider.calls == 2
        assert {reply.choices[0].text for reply in replies} == {"answer 2"}

    asyncio.run(run())


def test_a_leader_s_error_is_its_own() -> None:
    """Its followers call for themselves, all at once."""

    async def run() -> None:
        provider = Provider()
        handler = stage(provider)
        provider.error = ProviderError("no", status=500)
        leader = start(whole(handler))
        await provider.called.wait()
        followers = [start(whole(handler)) for _ in range(5)]
        await turns()
        provider.go.set()
        with pytest.raises(ProviderError):
            await leader
        provider.error = None
        provider.go.clear()
        await turns(30)
        assert provider.calls == 6
        provider.go.set()
        assert len({reply.choices[0].text for reply in await asyncio.gather(*followers)}) == 5

    asyncio.run(run())


def test_a_leader_whose_reader_stalls_is_given_up() -> None:
    """A follower has its reply though the leader's reader never asks for its second event."""

    async def run() -> None:
        provider = Provider()
        provider.go.set()
        handler = stage(provider)
        async with aclosing(handler(request(stream=True))) as events:
            await anext(events)
            async with asyncio.timeout(5):
                reply = await whole(handler)
            assert reply.choices[0].text == "answer 2"
            assert [type(event) async for event in events] == [Finish, Usage]

    asyncio.run(run())


def test_a_stream_that_is_read_slowly_keeps_its_followers_waiting_less_than_the_limit() -> None:
    """A reader that goes on in time keeps the lead: one call."""

    async def run() -> None:
        provider = Provider()
        handler = stage(provider)
        async with aclosing(handler(request(stream=True))) as events:
            await anext(events)
            follower = start(whole(handler))
            await turns()
            provider.go.set()
            assert [type(event) async for event in events] == [Finish, Usage]
        assert (await follower).choices[0].text == "answer 1"
        assert provider.calls == 1

    asyncio.run(run())


@pytest.mark.parametrize("first", [False, True])
def test_a_stream_and_a_whole_reply_share_an_entry(first: bool) -> None:
    """What one form has stored answers the other: one delta, the finish, the usage."""

    async def run() -> None:
        provider = Provider()
        provider.go.set()
        handler = stage(provider)
        if first:
            await events_of(handler)
        else:
            await whole(handler)
        assert await whole(handler) == Result.of_text("answer 1", usage=USAGE)
        assert await events_of(handler) == [Delta(TextPart("answer 1")), Finish("stop"), USAGE]
        assert provider.calls == 1

    asyncio.run(run())


def test_a_stream_that_is_cut_off_is_not_kept() -> None:
    """Its reader leaves before the finish; the next call is a call."""

    async def run() -> None:
        provider = Provider()
        provider.go.set()
        handler = stage(provider)
        async with aclosing(handler(request(stream=True))) as events:
            await anext(events)
        assert (await whole(handler)).choices[0].text == "answer 2"

    asyncio.run(run())


def test_a_stream_that_fails_is_not_kept() -> None:
    """Its error reaches the reader, and the next call is a call."""

    async def run() -> None:
        provider = Provider()
        provider.go.set()
        provider.error = ProviderError("cut", status=500)
        handler = stage(provider)
        with pytest.raises(ProviderError):
            await events_of(handler)
        provider.error = None
        assert (await whole(handler)).choices[0].text == "answer 2"

    asyncio.run(run())


def test_replicas_that_share_a_store_call_once_between_them() -> None:
    """Another replica's followers get the leader's reply, and the lease is given back."""

    async def run() -> None:
        provider, store = Provider(), SharedStore()
        here, there = stage(provider, store), stage(provider, store)
        calls = [start(whole(handler)) for handler in (here, there) for _ in range(5)]
        await provider.called.wait()
        await asyncio.sleep(0.05)
        provider.go.set()
        assert {reply.choices[0].text for reply in await asyncio.gather(*calls)} == {"answer 1"}
        assert (provider.calls, store.leases) == (1, {})

    asyncio.run(run())


@pytest.mark.parametrize(("end", "calls"), [("cancelled", 2), ("failed", 4)])
def test_another_replica_goes_on_when_the_leader_is_gone(end: str, calls: int) -> None:
    """A cancelled leader is replaced by one of the others; an error has each of them call for itself."""

    async def run() -> None:
        provider, store = Provider(), SharedStore()
        here, there = stage(provider, store), stage(provider, store)
        leader = start(whole(here))
        await provider.called.wait()
        followers = [start(whole(there)) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert provider.calls == 1
        if end == "cancelled":
            leader.cancel()
            await asyncio.wait([leader])
        else:
            provider.error = ProviderError("no", status=500)
            provider.go.set()
            with pytest.raises(ProviderError):
                await leader
            provider.error = None
            provider.go.clear()
        async with asyncio.timeout(5):
            while provider.calls < calls:
                await asyncio.sleep(0.01)
            provider.go.set()
            await asyncio.gather(*followers)
        assert provider.calls == calls

    asyncio.run(run())


class LateStore(SharedStore):
    """A store that goes on with a renewal for a moment after it was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.renewing = asyncio.Event()

    async def lease(self, key: str, holder: str, seconds: float) -> bool:
        if key in self.leases:
            self.renewing.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.01)
                await super().lease(key, holder, seconds)
        return await super().lease(key, holder, seconds)


def test_a_renewal_that_comes_late_holds_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is given back after it, or the key would be left to nobody for seconds."""
    monkeypatch.setattr(leases, "_RENEWAL", 0.01)

    async def run() -> None:
        provider, store = Provider(), LateStore()
        leader = start(whole(stage(provider, store)))
        await store.renewing.wait()
        provider.go.set()
        await leader
        await asyncio.sleep(0.05)
        assert store.leases == {}

    asyncio.run(run())


def test_another_replica_takes_over_from_a_leader_whose_reader_stalls() -> None:
    """The stalled leader gives its lease back long before it would end."""

    async def run() -> None:
        provider, store = Provider(), SharedStore()
        provider.go.set()
        here, there = stage(provider, store), stage(provider, store)
        async with aclosing(here(request(stream=True))) as events:
            await anext(events)
            async with asyncio.timeout(4):
                assert (await whole(there)).choices[0].text == "answer 2"

    asyncio.run(run())


def test_a_stalled_leader_s_error_leaves_its_successor_s_reply_alone() -> None:
    """What it ends with after it gave up the flight neither replaces what is kept nor is told to other replicas."""

    async def run() -> None:
        stalled, successor, store = Provider(), Provider(), SharedStore()
        stalled.error = ProviderError("no", status=500)
        successor.go.set()
        here, there = stage(stalled, store), stage(successor, store)
        async with aclosing(here(request(stream=True))) as events:
            await anext(events)
            async with asyncio.timeout(4):
                reply = await whole(there)
            stalled.go.set()
            with pytest.raises(ProviderError):
                await anext(events)
        (value,) = [await store.get(key) for key in list(store._entries)]
        assert value is not None
        kept = decode(value)
        assert isinstance(kept, Kept)
        assert kept.result == reply

    asyncio.run(run())


def test_replicas_call_once_through_a_shared_store_that_never_waits() -> None:
    """A store without a time limit, such as a file, is asked for its lease all the same."""

    async def run() -> None:
        provider, store = Provider(), SharedStore()
        store.timeout = None  # type: ignore[assignment]
        calls = [start(whole(stage(provider, store))) for _ in range(2)]
        await provider.called.wait()
        await turns(30)
        provider.go.set()
        assert {reply.choices[0].text for reply in await asyncio.gather(*calls)} == {"answer 1"}

    asyncio.run(run())


def test_another_partition_header_begins_anew() -> None:
    """A user whose name is that of a tenant never gets the tenant's replies, nor who sends neither header."""

    async def run() -> None:
        provider, store = Provider(), MemoryStore(Build("m", "cache.memory", MemorySettings()))
        provider.go.set()
        headers = Headers([(b"x-tenant", b"1"), (b"x-user", b"1")])
        replies = [
            (await stage(provider, store, header=header).answer(replace(request(), headers=sent))).choices[0].text
            for header, sent in [
                ("x-tenant", headers),
                ("x-user", headers),
                ("x-user", Headers()),
                (None, headers),
                ("X-Tenant", headers),
            ]
        ]
        assert replies == ["answer 1", "answer 2", "answer 3", "answer 4", "answer 1"]

    asyncio.run(run())


class Picture(Struct, frozen=True, tag="picture"):
    """A kind of part that this host doesn't know."""

    name: str


class Progress(Struct, frozen=True, tag="progress"):
    """A kind of event that this host doesn't know."""

    done: int


@pytest.mark.parametrize("piece", [Delta(Picture("a")), Progress(1)])  # type: ignore[arg-type]
def test_a_stream_with_an_unknown_piece_is_passed_on_and_not_kept(piece: Any) -> None:
    """Its reader gets every event, who waits for it calls for itself, and nothing stands in the store."""
    events = [Delta(TextPart("a")), piece, Finish("stop")]
    calls, go = [], asyncio.Event()

    async def provider(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        calls.append(request)
        await go.wait()
        for event in events:
            yield event

    async def run() -> None:
        store = MemoryStore(Build("m", "cache.memory", MemorySettings()))
        handler = stage(provider, store)
        replies = [asyncio.create_task(events_of(handler)) for _ in range(2)]
        await turns()
        go.set()
        assert await asyncio.gather(*replies) == [events, events]
        assert (len(calls), store.size) == (2, 0)

    asyncio.run(run())


def test_a_reply_that_can_t_be_written_down_is_passed_on_and_not_kept() -> None:
    """Whatever a plugin puts into a reply, the request doesn't fail for the cache."""
    odd = Result.of_text("a", model=object())  # type: ignore[arg-type]

    async def provider(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        del request
        yield odd

    async def run() -> None:
        store = MemoryStore(Build("m", "cache.memory", MemorySettings()))
        asked = request()
        assert await stage(provider, store).answer(asked) is odd
        assert (asked.record.cache_note, store.size) == ("the reply can't be kept: TypeError", 0)

    asyncio.run(run())


class FailingStore(MemoryStore):
    """A store whose first call raises what a test wants."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(Build("m", "cache.memory", MemorySettings()))
        self.error = error


class Raises(FailingStore):
    """One that raises while it is awaited."""

    async def get(self, key: str) -> bytes | None:
        del key
        raise self.error


class RaisesAtOnce(FailingStore):
    """One that raises before there is anything to await."""

    def get(self, key: str) -> Any:
        del key
        raise self.error


@pytest.mark.parametrize("error", [ValueError(), asyncio.CancelledError(), SystemExit(1)], ids=repr)
@pytest.mark.parametrize("kind", [Raises, RaisesAtOnce])
def test_whatever_a_store_raises_no_request_fails(kind: type[FailingStore], error: BaseException) -> None:
    """Its plugin's own cancellation is not the request's, and its SystemExit not the host's."""

    async def run() -> None:
        provider = Provider()
        provider.go.set()
        assert (await whole(stage(provider, kind(error)))).choices[0].text == "answer 1"

    asyncio.run(run())


class SilentStore(SharedStore):
    """A store that several replicas share, and that answers nothing."""

    timeout = 0.01

    async def get(self, key: str) -> bytes | None:
        del key
        await asyncio.Event().wait()
        raise AssertionError


def test_requests_share_a_call_while_the_store_is_left_alone() -> None:
    """Within one process a store in trouble changes nothing: the first calls, the others wait for it."""

    async def run() -> None:
        provider = Provider()
        handler = stage(provider, SilentStore())
        replies = [start(whole(handler)) for _ in range(5)]
        await provider.called.wait()
        replies += [start(whole(handler)) for _ in range(5)]
        await turns()
        provider.go.set()
        assert {reply.choices[0].text for reply in await asyncio.gather(*replies)} == {"answer 1"}

    asyncio.run(run())


def test_a_kept_reply_names_the_settings_that_its_provider_left_out() -> None:
    """As the call did, for who waits and for who comes later; what a manifest forbids is each request's own."""
    go = asyncio.Event()

    async def provider(asked: ConversationRequest) -> AsyncGenerator[Event, None]:
        await go.wait()
        asked.record.ignored += ("top_k",)
        yield Result.of_text("a")

    async def run() -> None:
        handler = stage(provider)
        requests = [request() for _ in range(4)]
        for asked, forbidden in zip(requests, ((), ("model",), ("model", "top_k"), ()), strict=True):
            asked.record.ignored = forbidden
        together = [start(handler.answer(asked)) for asked in requests[1:]]  # type: ignore[arg-type]
        await turns()
        go.set()
        await asyncio.gather(*together)
        await handler.answer(requests[0])
        assert [(asked.record.cache, asked.record.ignored) for asked in requests] == [
            ("hit", ("top_k",)),
            ("miss", ("model", "top_k")),
            ("coalesced", ("model", "top_k")),
            ("coalesced", ("top_k",)),
        ]

    asyncio.run(run())
