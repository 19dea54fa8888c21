"""Calls that are cancelled at any moment: no call ever gets another's answer, and no connection is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

import pytest

from jackfield_redis import RedisStore
from jackfield_redis.testing import ValkeyServer

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]


async def _rounds(count: int) -> None:
    """Let the event loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("connections", [1, 4])
def test_cancelled_at_every_step(opened: Opened, connections: int) -> None:
    """A read that is cancelled after any number of the loop's rounds leaves the next read its own answer."""

    async def scenario() -> None:
        async with opened(maxConnections=connections) as store:
            for key in ("one", "other"):
                await store.set(key, key.encode(), 60)
            completed = 0
            for count in range(60):
                for _ in range(3):
                    task = asyncio.create_task(store.get("one"))
                    await _rounds(count)
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        assert await task == b"one"
                        completed += 1
                    assert await store.get("other") == b"other"
                    assert await store.get("none") is None
            assert completed < 180

    asyncio.run(scenario())


def test_cancelled_while_the_answer_is_due(opened: Opened, server: ValkeyServer) -> None:
    """Reads that are cancelled after the server got them, and before it answers, leave nothing behind."""

    async def scenario() -> None:
        async with opened(maxConnections=2) as store:
            for key in ("one", "other"):
                await store.set(key, key.encode(), 60)
            for _ in range(5):
                server.pause()
                tasks = [asyncio.create_task(store.get("one")) for _ in range(10)]
                await _rounds(10)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert all(task.cancelled() for task in tasks)
                server.resume()
                assert await asyncio.gather(*(store.get("other") for _ in range(10))) == [b"other"] * 10

    asyncio.run(scenario())


@pytest.mark.parametrize("connections", [1, 5])
def test_hundreds_cancelled_among_hundreds(opened: Opened, connections: int) -> None:
    """While every other call is cancelled at some moment, each of the rest gets what it asked for.

    With one connection, a single one that is lost on the way would end it all.
    """
    chance = random.Random(7)

    async def kept(store: RedisStore, number: int) -> None:
        assert await store.get(str(number)) == str(number).encode()

    async def dropped(store: RedisStore, number: int) -> None:
        task = asyncio.create_task(kept(store, number))
        await _rounds(chance.randrange(60))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def scenario() -> None:
        async with opened(maxConnections=connections) as store:
            for number in range(50):
                await store.set(str(number), str(number).encode(), 60)
            for _ in range(5):
                await asyncio.gather(*(chance.choice((kept, dropped))(store, number % 50) for number in range(200)))

    asyncio.run(scenario())
