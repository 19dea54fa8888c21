"""How long a connection of hypercorn may be silent.

hypercorn has a task of its own wait for that, and makes and cancels one for every request, which costs as much as
reading the request. A timer that looks at when the silence began has nothing to do for a request but to note a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio.task_group import TaskGroup

__all__ = ["Silence"]


class Silence:
    """Ends a connection on which nothing has come for a while; it takes the place of hypercorn's ``idle_task``.

    Args:
        patience: seconds of silence that a connection may have.

    Attributes:
        begun: when the silence began, by the event loop's clock; None while a request is under way.
        over: true once it has lasted too long: what comes then has crossed the closing and must not be begun.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self.begun: float | None = None
        self.over = False
        self._timer: asyncio.TimerHandle | None = None
        self._close: Callable[[], None] = _nothing

    async def restart(self, tasks: TaskGroup, close: Callable[[], Awaitable[Any]]) -> None:
        """Begin to wait for something to come.

        Args:
            tasks: where ``close`` runs.
            close: called when nothing has come in time.
        """
        self.begun = self._loop.time()
        if self._timer is None:
            self._close = lambda: tasks.spawn(close)
            self._timer = self._loop.call_later(self._patience, self._look)

    async def stop(self) -> None:
        """Something has come."""
        self.begun = None

    def shorten(self, patience: float) -> None:
        """From now on, and for a silence that has begun, wait only so many seconds."""
        self._patience = patience
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop.call_later(patience, self._look)

    def end(self) -> None:
        """Forget the connection, which is closed."""
        self.begun = None
        self._close = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self.begun is None:
            return  # it is armed again when the reply is out
        left = self.begun + self._patience - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self.over = True
            self._close()


def _nothing() -> None:
    """Stand for what a connection that is gone would do."""
