"""Components that no manifest names."""

from __future__ import annotations

import asyncio
from typing import Any

from jackfield import Build, CacheStore, Settings
from jackfield.catalog.standing import Standing
from jackfield.plugins.types import ComponentType, ComponentTypes


class Slow(CacheStore[Settings]):
    """A store that takes its time to start."""

    def __init__(self, build: Build[Settings]) -> None:
        super().__init__(build)
        self.events: list[str] = []
        self.starting = asyncio.Event()

    async def start(self) -> None:
        self.starting.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.events.append("start ended")

    async def close(self) -> None:
        self.events.append("closed")


def test_a_start_that_is_under_way_ends_before_the_close() -> None:
    """It is cancelled, and nothing of it is left when the host has stopped."""

    async def run() -> None:
        slow = ComponentType("cache.slow", CacheStore, Slow, Slow, Settings, "slow", default=True)
        standing = Standing(ComponentTypes([slow]), {})
        kind: type[CacheStore[Any]] = CacheStore
        supply = standing.supply(kind)
        assert supply is not None
        store = supply.component
        assert isinstance(store, Slow)
        supply.begin()
        await store.starting.wait()
        await standing.close()
        assert store.events == ["start ended", "closed"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
