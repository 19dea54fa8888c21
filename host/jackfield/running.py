"""The requests that run, so that a host which stops can wait for them and then cut them off."""

from __future__ import annotations

import asyncio

__all__ = ["Running"]


class Running(set[asyncio.Task[object]]):
    """The tasks that have a request under way. One may have others before and after, as a connection's task has."""

    _none: asyncio.Event | None = None

    def discard(self, task: object, /) -> None:
        """Take out a task whose request has ended."""
        super().discard(task)
        if self._none is not None and not self:
            self._none.set()

    async def ended(self) -> None:
        """Wait until no request runs."""
        while self:
            self._none = asyncio.Event()
            await self._none.wait()
