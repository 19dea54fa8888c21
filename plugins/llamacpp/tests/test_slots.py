"""Standing in line for a slot."""

from __future__ import annotations

import asyncio
import threading

import pytest

from jackfield import Overloaded
from jackfield_llamacpp.slots import Slots


async def _in_line(slots: Slots, wanted: int, served: list[str], name: str) -> asyncio.Task[None]:
    async def take() -> None:
        await slots.take(wanted, longest_line=9)
        served.append(name)

    before = slots.waiting
    task = asyncio.ensure_future(take())
    await asyncio.sleep(0)  # the task runs until it waits
    assert slots.waiting == before + 1
    return task


def test_first_come_first_served() -> None:
    """One who wants many slots is not passed by those who want few, also when slots come back from a thread."""

    async def run() -> list[str]:
        slots, served = Slots(2), list[str]()
        await slots.take(1, longest_line=0)
        many = await _in_line(slots, 2, served, "many")
        few = await _in_line(slots, 1, served, "few")
        assert slots.free == 1
        thread = threading.Thread(target=slots.give_back, args=(1,))
        thread.start()
        await many
        slots.give_back(2)
        await few
        thread.join()
        return served

    assert asyncio.run(run()) == ["many", "few"]


@pytest.mark.parametrize("granted", [False, True], ids=["in line", "just served"])
def test_leaving_the_line(granted: bool) -> None:
    """One who gives up keeps nobody behind and no slot, even if it was served in that moment."""

    async def run() -> int:
        slots, served = Slots(1), list[str]()
        await slots.take(1, longest_line=0)
        first = await _in_line(slots, 1, served, "first")
        second = await _in_line(slots, 1, served, "second")
        if granted:
            slots.give_back(1)
        first.cancel()
        if not granted:
            slots.give_back(1)
        await second
        assert first.cancelled()
        assert served == ["second"]
        slots.give_back(1)
        return slots.free

    assert asyncio.run(run()) == 1


def test_the_line_has_an_end() -> None:
    """One more than may wait is refused at once."""

    async def run() -> None:
        slots = Slots(1)
        await slots.take(1, longest_line=0)
        with pytest.raises(Overloaded, match="all 1 slots of the model are busy and 0 requests wait"):
            await slots.take(1, longest_line=0)

    asyncio.run(run())
