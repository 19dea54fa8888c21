"""A component that a stage uses, started at the latest when it is first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from jackfield.components import Component
from jackfield.errors import PluginError
from jackfield.faults import is_fault

__all__ = ["Supply"]

ComponentT_co = TypeVar("ComponentT_co", bound=Component[Any], covariant=True)
_LONGEST_STOP = 5.0
"""Seconds for a start that was cancelled to end."""


class Supply(Generic[ComponentT_co]):
    """A component and whether it has been started. One that a manifest names always has.

    Args:
        component: the component.
        start: starts it; None if that has been done.
    """

    def __init__(self, component: ComponentT_co, start: Callable[[], Awaitable[None]] | None = None) -> None:
        self.component = component
        self._start = start
        self._starting: asyncio.Future[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the component can be used at once."""
        return self._start is None

    def begin(self) -> None:
        """Have the component started in the background, without waiting; what keeps it from that, ``wait`` tells."""
        if self._start is not None and self._starting is None:
            self._starting = asyncio.ensure_future(self._run(self._start))
            self._starting.add_done_callback(self._ended)

    async def wait(self) -> None:
        """Wait until the component can be used; the first caller has it started.

        Raises:
            Exception: what kept it from starting; the next caller has it tried again.
        """
        self.begin()
        if self._starting is not None:
            await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """End a start that is under way: it is cancelled, and waited for 5 s at most."""
        if (starting := self._starting) is not None:
            starting.cancel()
            await asyncio.wait([starting], timeout=_LONGEST_STOP)

    async def _run(self, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except BaseException as error:
            if isinstance(error, Exception) or not is_fault(error):
                raise
            # asyncio would end the process for a SystemExit, and those who wait would take a CancelledError for theirs.
            name, kind = self.component.name, type(error).__name__
            raise PluginError(f"the start of {name} raised {kind}, a fault of its plugin") from error

    def _ended(self, starting: asyncio.Future[None]) -> None:
        self._starting = None
        if not starting.cancelled() and starting.exception() is None:
            self._start = None
