"""Leases: one holder at a time, in one process and in several."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from jackfield_redis import RedisStore
from jackfield_redis.testing import ValkeyServer

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]

KEY = "jackfield:lease:k"


def test_one_holder_at_a_time(opened: Opened) -> None:
    """Of many that ask at once, in two stores, exactly one gets the lease."""

    async def scenario() -> list[bool]:
        async with opened() as one, opened() as other:
            asked = [(one, other)[number % 2].lease("k", f"holder {number}", 60) for number in range(100)]
            return await asyncio.gather(*asked)

    assert sorted(asyncio.run(scenario())) == [False] * 99 + [True]


RACER = """
import asyncio, sys
from jackfield import Build
from jackfield_redis import RedisSettings, RedisStore

async def race(url, holder):
    settings = RedisSettings(url=url, timeout=10)
    store = RedisStore(Build(name="replies", type_name="cache.redis", settings=settings))
    await store.start()
    await store.get("begin")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(300):
        if await store.lease(str(number), holder, 60):
            print(number)
    await store.close()

asyncio.run(race(*sys.argv[1:]))
"""


def test_one_holder_of_several_processes(server: ValkeyServer) -> None:
    """Two processes that race for the same leases get each of them once, between them all."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, server.url, f"holder {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    taken = [racer.communicate()[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(map(int, taken[0] + taken[1])) == list(range(300))


def test_the_holder_renews(opened: Opened, server: ValkeyServer) -> None:
    """The holder may ask again, which sets the time anew; others may not."""

    async def scenario() -> list[bool]:
        async with opened() as store:
            return [
                await store.lease("k", "me", 5),
                await store.lease("k", "you", 600),
                await store.lease("k", "me", 60),
            ]

    assert asyncio.run(scenario()) == [True, False, True]
    assert 50_000 < server.command("PTTL", KEY) <= 60_000


def test_release(opened: Opened) -> None:
    """The holder gives the lease back; nobody else can, and a lease that nobody has is no error."""

    async def scenario() -> list[bool]:
        async with opened() as store:
            await store.release("k", "me")
            first = await store.lease("k", "me", 60)
            await store.release("k", "you")
            second = await store.lease("k", "you", 60)
            await store.release("k", "me")
            return [first, second, await store.lease("k", "you", 60)]

    assert asyncio.run(scenario()) == [True, False, True]


def test_a_lease_ends(opened: Opened) -> None:
    """A lease that is not renewed falls to who asks next, and its first holder can't renew or release it then."""

    async def scenario() -> list[bool]:
        async with opened() as store:
            assert await store.lease("k", "me", 0.05)
            while not await store.lease("k", "you", 60):
                pass
            await store.release("k", "me")
            return [await store.lease("k", "me", 60), await store.lease("k", "you", 60)]

    assert asyncio.run(scenario()) == [False, True]


@pytest.mark.parametrize(
    ("rubbish", "taken"),
    [
        (["SET", KEY, "rubbish"], True),
        (["RPUSH", KEY, "rubbish"], True),
        (["SET", KEY, "rubbish", "PX", 60_000], False),
    ],
    ids=["text", "list", "text that ends"],
)
def test_rubbish_in_a_lease(opened: Opened, server: ValkeyServer, rubbish: list[str | int], taken: bool) -> None:
    """What stands there for ever keeps nobody out, since a lease has an end; a foreign holder's lease does."""
    server.command(*rubbish)

    async def scenario() -> list[bool]:
        async with opened() as store:
            await store.release("k", "me")
            return [await store.lease("k", "me", 60), await store.lease("k", "you", 60)]

    assert asyncio.run(scenario()) == [taken, False]
