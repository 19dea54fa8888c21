"""The store in memory, against a plain model of it."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from jackfield import Build
from jackfield.builtin.cache.memory import MemorySettings, MemoryStore

LIMIT = 2_000


def store(limit: int = LIMIT) -> MemoryStore:
    """A small store."""
    return MemoryStore(Build("memory", "cache.memory", MemorySettings(max_size=limit)))


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 700) | st.none()), max_size=60))
def test_it_never_takes_more_than_its_limit_and_forgets_the_least_recently_used(
    steps: list[tuple[str, int | None]],
) -> None:
    """Sets and gets in any order: the size stays below the limit, and what is there is what was used last."""

    async def run() -> None:
        memory, used = store(), list[tuple[str, bytes]]()
        for key, size in steps:
            if size is None:
                expected = next((value for name, value in used if name == key), None)
                got = await memory.get(key)
                assert got is None or got == expected
                if got is not None:
                    used = [entry for entry in used if entry[0] != key] + [(key, got)]
            else:
                value = bytes(size)
                await memory.set(key, value, 60)
                used = [entry for entry in used if entry[0] != key] + [(key, value)]
            assert memory.size <= LIMIT
        present = [(name, value) for name, value in used if await memory.get(name) is not None]
        assert present == used[len(used) - len(present) :]

    asyncio.run(run())


def test_a_value_s_time_ends() -> None:
    """What is over is not given, and takes no room any more."""

    async def run() -> None:
        memory = store()
        await memory.set("a", b"value", 0.01)
        assert await memory.get("a") == b"value"
        await asyncio.sleep(0.02)
        assert await memory.get("a") is None
        assert memory.size == 0

    asyncio.run(run())


def test_a_value_that_is_larger_than_the_store_leaves_it_as_it_is() -> None:
    """It would push out everything and then itself."""

    async def run() -> None:
        memory = store()
        await memory.set("a", b"small", 60)
        await memory.set("b", bytes(LIMIT), 60)
        assert (await memory.get("a"), await memory.get("b")) == (b"small", None)

    asyncio.run(run())
