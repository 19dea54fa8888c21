"""Values: what is kept, under which keys, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from jackfield_redis import RedisStore, StoreFailure
from jackfield_redis.testing import ValkeyServer

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]


@pytest.mark.parametrize("value", [b"", b"\x00\xff\r\n$5\r\n", b"x" * 2_000_000], ids=["empty", "binary", "2 MB"])
def test_a_value_comes_back_as_it_was(opened: Opened, value: bytes) -> None:
    """Any bytes are given back unchanged."""

    async def scenario() -> tuple[bytes | None, bytes | None]:
        async with opened() as store:
            before = await store.get("k")
            await store.set("k", value, 60)
            return before, await store.get("k")

    assert asyncio.run(scenario()) == (None, value)


def test_a_value_replaces_the_one_before(opened: Opened, server: ValkeyServer) -> None:
    """The last value counts, with its own time to live."""

    async def scenario() -> bytes | None:
        async with opened() as store:
            await store.set("k", b"old", 5)
            await store.set("k", b"new", 600)
            return await store.get("k")

    assert asyncio.run(scenario()) == b"new"
    assert 590_000 < server.command("PTTL", "jackfield:value:k") <= 600_000


def test_a_value_ends(opened: Opened) -> None:
    """A value whose time is over is not given any more."""

    async def scenario() -> None:
        async with opened() as store:
            await store.set("k", b"v", 0.2)
            assert await store.get("k") == b"v"
            while await store.get("k") is not None:
                pass

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("ttl", "longest"), [(1e-9, 1), (0.0019, 1), (1.5, 1500), (86400.0, 86_400_000), (9e9, 9 * 10**12)]
)
def test_time_to_live(opened: Opened, server: ValkeyServer, ttl: float, longest: int) -> None:
    """A time to live counts to the millisecond: never longer than asked for, at least one, and never for ever."""

    async def scenario() -> None:
        async with opened() as store:
            await store.set("k", b"v", ttl)

    asyncio.run(scenario())
    left = server.command("PTTL", "jackfield:value:k")
    gone = -2
    assert left == gone or longest - 1000 < left <= longest


def test_keys(opened: Opened, server: ValkeyServer) -> None:
    """Every key begins with the prefix, and a value and a lease of one name don't meet."""

    async def scenario() -> bytes | None:
        async with opened(keyPrefix="shop/") as store:
            assert await store.lease("k", "me", 60)
            await store.set("k", b"v", 60)
            await store.release("k", "me")
            assert await store.lease("k", "you", 60)
            return await store.get("k")

    assert asyncio.run(scenario()) == b"v"
    assert server.keys() == {"shop/value:k", "shop/lease:k"}


def test_prefixes_keep_apart(opened: Opened) -> None:
    """Stores with different prefixes see nothing of each other."""

    async def scenario() -> list[bytes | bool | None]:
        async with opened(keyPrefix="a:") as one, opened(keyPrefix="b:") as other:
            await one.set("k", b"v", 60)
            await one.lease("k", "me", 60)
            return [await other.get("k"), await other.lease("k", "you", 60)]

    assert asyncio.run(scenario()) == [None, True]


def test_stores_of_one_prefix_share(opened: Opened) -> None:
    """What one store keeps, another of the same server and prefix gives."""

    async def scenario() -> bytes | None:
        async with opened() as one, opened() as other:
            await one.set("k", b"v", 60)
            return await other.get("k")

    assert asyncio.run(scenario()) == b"v"


def test_one_round_trip(opened: Opened, server: ValkeyServer) -> None:
    """A call is one command, and a connection is made without any; leases are renewed in one step too."""

    async def scenario() -> None:
        async with opened() as store:
            for _ in range(3):
                await store.set("k", b"v", 60)
                await store.get("k")
                await store.lease("k", "me", 60)
            await store.release("k", "me")

    server.calls()
    asyncio.run(scenario())
    # The server counts what the scripts call too: the first lease sets, the others try, look, and set.
    calls = server.calls()
    assert {name: calls.pop(name) for name in ("eval", "get", "pttl", "del")} == {
        "eval": 4,
        "get": 3 + 2 + 1,
        "pttl": 2,
        "del": 1,
    }
    assert calls == {"set": 3 + 3 + 2}


def test_rubbish_in_a_value_is_given_as_it_is(opened: Opened, server: ValkeyServer) -> None:
    """Bytes that someone else wrote are the host's to judge."""
    server.write("jackfield:value:k", b"\x80 rubbish")

    async def scenario() -> bytes | None:
        async with opened() as store:
            return await store.get("k")

    assert asyncio.run(scenario()) == b"\x80 rubbish"


def test_rubbish_of_another_type_is_no_value(opened: Opened, server: ValkeyServer) -> None:
    """A list under a value's key is a miss, and the next value replaces it."""
    server.command("RPUSH", "jackfield:value:k", "rubbish")

    async def scenario() -> tuple[bytes | None, bytes | None]:
        async with opened() as store:
            before = await store.get("k")
            await store.set("k", b"v", 60)
            return before, await store.get("k")

    assert asyncio.run(scenario()) == (None, b"v")


def test_a_store_that_is_not_running(opened: Opened) -> None:
    """A call before the start or after the close fails with the component's name."""

    async def scenario() -> None:
        async with opened() as store:
            pass
        await store.get("k")

    with pytest.raises(StoreFailure, match="'replies' is not running"):
        asyncio.run(scenario())
