"""Whose an exception is that comes out of a plugin's code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator

import pytest

from jackfield.faults import HostSignal, is_fault, text_of


class Strange(BaseException):
    """Neither an ``Exception`` nor one of Python's own; its text can't be had."""

    def __str__(self) -> str:
        raise ValueError("not even this")


def caught(error: BaseException) -> BaseException:
    """Raise an exception in a function, as a plugin does."""

    def plugin() -> None:
        raise error

    try:
        plugin()
    except BaseException as found:  # noqa: BLE001
        return found
    raise AssertionError("nothing was raised")


FAULTS = [ValueError(), MemoryError(), SystemExit(3), GeneratorExit(), asyncio.CancelledError(), Strange()]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_whatever_a_plugin_raises_is_its_own(error: BaseException) -> None:
    """Nothing that a plugin raises by itself may end more than what it was asked for."""

    async def main() -> bool:
        return is_fault(caught(error))

    assert asyncio.run(main())
    assert is_fault(caught(error))


def test_what_the_host_raises_is_no_fault() -> None:
    """A signal of the host's own passes through a plugin's code."""
    assert not is_fault(caught(HostSignal()))


def test_a_cancellation_of_the_host_is_no_fault() -> None:
    """A task that the host cancels ends, whatever plugin's code it is in."""
    found: list[bool] = []

    async def working() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            found.append(is_fault(error))

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(working())
        await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(main())
    assert found == [False]


def test_a_generator_that_is_closed_is_no_fault() -> None:
    """A reply that nobody reads on ends without a word in the log."""
    found: list[bool] = []

    async def events() -> AsyncGenerator[int, None]:
        try:
            yield 1
        except GeneratorExit as error:
            found.append(is_fault(error))
            raise

    async def main() -> None:
        generator = events()
        await anext(generator)
        await generator.aclose()

    asyncio.run(main())
    assert found == [False]


def test_ctrl_c_is_no_fault_where_python_raises_it() -> None:
    """A command can be interrupted; a host that serves has its own handler, so that it is a plugin who raises it."""
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        assert not is_fault(caught(KeyboardInterrupt()))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert is_fault(caught(KeyboardInterrupt()))
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_text_that_cant_be_had_is_replaced() -> None:
    """An exception whose own ``__str__`` raises is told all the same."""
    assert text_of(ValueError("why")) == "why"
    assert text_of(Strange()) == "(its text can't be shown)"
