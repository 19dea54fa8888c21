"""A component that is started when it is first needed."""

from __future__ import annotations

import asyncio

import pytest

from jackfield import Build, Component, PluginError, Settings, Supply


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError()], ids=repr)
def test_a_start_that_ends_like_a_process_is_a_fault_of_its_plugin(error: BaseException) -> None:
    """All that wait are told so, the host lives on, and the next one has it tried again."""
    ends: list[BaseException] = [error]

    async def begin() -> None:
        if ends:
            raise ends.pop()

    async def run() -> None:
        supply = Supply(Component(Build("c", "cache.c", Settings())), begin)
        told = await asyncio.gather(supply.wait(), supply.wait(), return_exceptions=True)
        assert [(type(one), type(error).__name__ in str(one)) for one in told] == [(PluginError, True)] * 2
        await supply.wait()
        assert supply.ready

    asyncio.run(run())


def test_who_is_cancelled_while_waiting_leaves_the_start_to_the_others() -> None:
    """The start goes on, and ends well."""

    async def run() -> None:
        go = asyncio.Event()

        async def begin() -> None:
            await go.wait()

        supply = Supply(Component(Build("c", "cache.c", Settings())), begin)
        first, second = (asyncio.create_task(supply.wait()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        go.set()
        await second
        assert supply.ready
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(run())
