"""Sharing, counting and freeing engines."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jackfield_llamacpp.engine import Engine, EngineOptions
from jackfield_llamacpp.pool import EnginePool

OPTIONS = EngineOptions(file=Path("m.gguf"), version=(1, 1), context_size=512, parallel=1, threads=1, cache_ram_mib=0)


class Loader:
    """Makes engines that only remember being closed; loading waits for ``go`` and fails while ``broken``."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.broken = False
        self.made: list[Loaded] = []
        self.freed = threading.Event()

    def __call__(self, options: EngineOptions) -> Engine:
        """Make one."""
        assert self.go.wait(20)
        if self.broken:
            raise RuntimeError("can't load")
        self.made.append(Loaded(options, self.freed))
        return self.made[-1]


class Loaded(Engine):
    """An engine without a model."""

    def __init__(self, options: EngineOptions, closed: threading.Event) -> None:
        self.options = options
        self.closed = closed

    def close(self) -> None:
        """Remember it."""
        self.closed.set()


@pytest.fixture
def loader() -> Loader:
    """A loader that waits to be let go."""
    return Loader()


def test_one_engine_for_all_who_come_while_it_loads(loader: Loader) -> None:
    """Those who ask for the same while it is loading get the same; the last to leave frees it, once."""

    async def run() -> None:
        pool = EnginePool(loader)
        asking = [asyncio.ensure_future(pool.lease(OPTIONS)) for _ in range(3)]
        await asyncio.sleep(0)  # all have asked
        loader.go.set()
        leases = await asyncio.gather(*asking)
        assert len(loader.made) == 1
        await leases[0].close()
        await leases[0].close()
        await leases[1].close()
        assert not loader.made[0].closed.is_set()
        await leases[2].close()
        assert loader.made[0].closed.is_set()
        assert len(pool) == 0

    asyncio.run(run())


@pytest.mark.parametrize("others", [0, 1])
def test_giving_up_while_it_loads(others: int, loader: Loader) -> None:
    """One who is cancelled leaves the loading to the others; with none left, what was loaded is freed."""

    async def run() -> None:
        pool = EnginePool(loader)
        asking = [asyncio.ensure_future(pool.lease(OPTIONS)) for _ in range(1 + others)]
        await asyncio.sleep(0)  # all have asked
        asking[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking[0]
        assert len(pool) == others
        loader.go.set()
        for lease in await asyncio.gather(*asking[1:]):
            assert not loader.made[0].closed.is_set()
            await lease.close()
        assert await asyncio.to_thread(loader.freed.wait, 20)

    asyncio.run(run())
    assert [engine.closed.is_set() for engine in loader.made] == [True]


def test_a_failed_load_is_tried_again(loader: Loader) -> None:
    """All who waited get the error, and the next one who asks loads anew."""

    async def run() -> None:
        pool = EnginePool(loader)
        loader.broken = True
        loader.go.set()
        outcomes = await asyncio.gather(pool.lease(OPTIONS), pool.lease(OPTIONS), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["can't load", "can't load"]
        assert len(pool) == 0
        loader.broken = False
        await (await pool.lease(OPTIONS)).close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("change", "engines"),
    [
        (replace, 1),
        (lambda options: replace(options, context_size=1024), 2),
        (lambda options: replace(options, version=(1, 2)), 2),
    ],
    ids=["equal", "other options", "file replaced"],
)
def test_several_engines_are_warned_of(
    change: Callable[[EngineOptions], EngineOptions], engines: int, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    """Engines that stay side by side are named in the log, as they slow each other down."""
    loader.go.set()

    async def run() -> int:
        pool = EnginePool(loader, settled_seconds=0)
        leases = [await pool.lease(OPTIONS), await pool.lease(change(OPTIONS))]
        count = len(pool)
        for lease in leases:
            await asyncio.to_thread(lambda: None)  # a turn of the loop, in which the warning is due
            await lease.close()
        return count

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(run()) == engines
    assert ("2 engines are loaded" in caplog.text) is (engines == 2)


def test_a_reloads_two_engines_are_no_warning(loader: Loader, caplog: pytest.LogCaptureFixture) -> None:
    """An engine that is gone when things have settled was the old one of a reload."""
    loader.go.set()

    async def run() -> None:
        pool = EnginePool(loader, settled_seconds=0.05)
        old = await pool.lease(OPTIONS)
        new = await pool.lease(replace(OPTIONS, parallel=2))
        await old.close()
        await asyncio.sleep(0.1)  # past the time at which the pool looks
        await new.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert caplog.text == ""
