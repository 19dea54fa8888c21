"""How long a connection of hypercorn may be silent: a timer in place of a task for each request."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest
from hypercorn.asyncio.task_group import TaskGroup

from jackfield.serving.idle import Silence

_SHORT = 0.05
_LONG = 60.0


async def _start(silence: Silence) -> None:
    """Nothing happens after the first silence has begun."""


async def _again(silence: Silence) -> None:
    await silence.stop()
    await asyncio.sleep(2 * _SHORT)  # a reply takes longer than a silence may
    assert silence.begun is None


async def _hurried(silence: Silence) -> None:
    silence.shorten(_SHORT)


@pytest.mark.parametrize(
    ("patience", "then", "restarts"),
    [(_SHORT, _start, False), (_SHORT, _again, True), (_LONG, _hurried, False)],
    ids=["from the start", "after a long reply", "shortened"],
)
def test_a_silence_ends(patience: float, then: Callable[[Silence], Awaitable[None]], restarts: bool) -> None:
    """The connection is ended once, after its patience and not before, however many replies came before."""

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        ended: list[float] = []
        over = asyncio.Event()

        async def end() -> None:
            ended.append(loop.time())
            over.set()

        silence = Silence(patience)
        async with TaskGroup(loop) as tasks:
            began = loop.time()
            await silence.restart(tasks, end)
            await then(silence)
            if restarts:
                assert not ended, "a request under way counts as silence"
                began = loop.time()
                await silence.restart(tasks, end)
            async with asyncio.timeout(10):
                await over.wait()
        return [moment - began for moment in ended]

    assert len(took := asyncio.run(main())) == 1
    assert took[0] >= _SHORT - 0.01


def test_a_closed_connection_is_let_go() -> None:
    """No timer holds what belongs to a connection that has closed: one-shot clients would pile up for a minute."""

    async def main() -> None:
        class Closed:
            async def over(self) -> None:
                raise AssertionError("it is closed already")

        loop = asyncio.get_running_loop()
        connection = Closed()
        gone = weakref.ref(connection)
        silence = Silence(_LONG)
        async with TaskGroup(loop) as tasks:
            await silence.restart(tasks, connection.over)
        silence.end()
        del connection, silence
        gc.collect()
        assert gone() is None

    asyncio.run(main())
