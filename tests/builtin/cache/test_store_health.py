"""When a store in trouble is asked again, and when its trouble is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from jackfield import Build, StoreHealth, Supply
from jackfield.builtin.cache.guard import Guard
from jackfield.builtin.cache.memory import MemorySettings, MemoryStore

KINDS = ("get", "lease", "set", "release")
SILENT = TimeoutError()
REFUSED = ValueError("full")


@dataclass
class World:
    """A store's health, and a clock that a test moves."""

    now: float = 100.0
    health: StoreHealth = field(init=False)

    def __post_init__(self) -> None:
        self.health = StoreHealth(lambda: self.now)

    def fails(self, kind: str, error: BaseException = SILENT) -> bool:
        assert self.health.enter(kind)
        return self.health.fails(kind, error)

    def works(self, kind: str) -> bool:
        assert self.health.enter(kind)
        return self.health.works(kind)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionRefusedError(), OSError(), EOFError()], ids=repr)
def test_a_store_that_gives_no_answer_is_asked_for_nothing(error: BaseException) -> None:
    """Whatever failed: the next call of any kind would wait as long."""
    world = World()
    assert world.fails("get", error)
    assert not any(map(world.health.enter, KINDS))
    world.now += 0.49
    assert not any(map(world.health.enter, KINDS))


def test_a_refusal_is_about_its_kind_alone() -> None:
    """A full store is still read."""
    world = World()
    assert world.fails("set", REFUSED)
    assert [world.health.enter(kind) for kind in KINDS] == [True, True, False, True]
    world.now += 0.5
    assert world.health.enter("set")


@pytest.mark.parametrize("kind", KINDS)
def test_one_call_tries_after_the_pause(kind: str) -> None:
    """The others are left out until it has been answered; a failure begins another pause, a cancellation none."""
    world = World()
    world.fails("get")
    world.now += 0.5
    assert [world.health.enter(kind), world.health.enter("get"), world.health.enter("set")] == [True, False, False]
    assert not world.health.fails(kind, SILENT)
    assert not world.health.enter("get")
    world.now += 0.5
    assert world.health.enter(kind)
    world.health.leave()
    assert world.health.enter(kind)
    assert not world.health.works(kind)
    assert all(map(world.health.enter, KINDS))


def test_a_call_from_before_the_silence_ends_no_pause() -> None:
    """It says nothing about the store as it is now."""
    world = World()
    assert world.health.enter("get")
    world.fails("lease")
    assert not world.health.works("get")
    assert not world.health.enter("get")


def test_a_refusal_is_an_answer() -> None:
    """A store that is back and full is let work again, but for what it refuses."""
    world = World()
    world.fails("get")
    world.now += 0.5
    world.fails("set", REFUSED)
    assert [world.health.enter(kind) for kind in KINDS] == [True, True, False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_any_success_after_a_quiet_time_ends_a_silence(kind: str) -> None:
    """There is one line for it, and the next outage is a new one."""
    world = World()
    assert world.fails("lease")
    world.now += 1.9
    assert not world.works(kind)
    world.now += 0.1
    assert world.works(kind)
    assert not world.works(kind)
    assert world.fails("lease")


def test_a_refusal_ends_when_its_kind_succeeds() -> None:
    """That others do says nothing."""
    world = World()
    assert world.fails("set", REFUSED)
    world.now += 2.0
    assert not world.works("get")
    assert not world.fails("set", REFUSED)
    world.now += 2.0
    assert world.works("set")


class Hanging(MemoryStore):
    """A store that hangs whenever it is asked, and counts that."""

    shared = True
    timeout = 0.01

    def __init__(self) -> None:
        super().__init__(Build("m", "cache.memory", MemorySettings()))
        self.health = StoreHealth(lambda: self.now)
        self.now = 100.0
        self.asked = 0

    async def get(self, key: str) -> bytes | None:
        del key
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError


def test_a_cancelled_try_leaves_the_next_call_its_turn() -> None:
    """A store is not given up for the sake of one request that went away."""

    async def run() -> None:
        store = Hanging()
        guard = Guard(Supply(store))
        await guard.get("key")
        store.now += 1
        trying = asyncio.create_task(guard.get("key"))
        while store.asked < 2:
            await asyncio.sleep(0)
        await guard.get("key")
        assert store.asked == 2
        trying.cancel()
        await asyncio.wait([trying])
        await guard.get("key")
        assert store.asked == 3

    asyncio.run(run())
