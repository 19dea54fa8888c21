"""The engines of one process: shared by all components that ask for the same, freed by the last that closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from jackfield_llamacpp.engine import Engine, EngineOptions

__all__ = ["EnginePool", "Lease"]

_log = logging.getLogger(__name__)
_SETTLED_SECONDS = 15.0


@dataclass
class _Entry:
    loading: asyncio.Future[Engine]
    users: int = 0


class EnginePool:
    """Loads engines and counts their users.

    Args:
        load: makes an engine; it runs in a thread.
        settled_seconds: how long two engines may live side by side before the log says that they slow each other down.
            A reload that changes the options has two for a moment.
    """

    def __init__(
        self, load: Callable[[EngineOptions], Engine] = Engine, *, settled_seconds: float = _SETTLED_SECONDS
    ) -> None:
        self._load = load
        self._settled_seconds = settled_seconds
        self._entries: dict[EngineOptions, _Entry] = {}
        self._freeing: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._entries)

    async def lease(self, options: EngineOptions) -> Lease:
        """Return the engine with these options, loading it unless it is here or on its way.

        Raises:
            Exception: what loading raised; the next lease tries again.
        """
        entry = self._entries.get(options)
        if entry is None:
            loading = asyncio.ensure_future(asyncio.to_thread(self._load, options))
            entry = self._entries[options] = _Entry(loading)
            if len(self._entries) > 1:
                asyncio.get_running_loop().call_later(self._settled_seconds, self._warn_of_several)
        entry.users += 1
        try:
            # Others may wait for the same engine, so one that gives up doesn't end the loading.
            engine = await asyncio.shield(entry.loading)
        except BaseException:
            await self._leave(options, entry, wait=False)
            raise
        return Lease(engine, lambda: self._leave(options, entry, wait=True))

    async def _leave(self, options: EngineOptions, entry: _Entry, *, wait: bool) -> None:
        entry.users -= 1
        if entry.users:
            return
        if self._entries.get(options) is entry:
            del self._entries[options]
        freeing = asyncio.ensure_future(_free(entry))
        self._freeing.add(freeing)  # the loop itself keeps no task alive
        freeing.add_done_callback(self._freeing.discard)
        if wait:
            await asyncio.shield(freeing)

    def _warn_of_several(self) -> None:
        if len(self._entries) > 1:
            _log.warning(
                "%d engines are loaded in this process, and each makes the others several times slower; give the "
                "components of conversation.llamacpp the same model and options, or serve some from another host: %s",
                len(self._entries),
                ", ".join(sorted(str(options.file) for options in self._entries)),
            )


class Lease:
    """The right to use an engine until ``close``."""

    def __init__(self, engine: Engine, leave: Callable[[], Coroutine[None, None, None]]) -> None:
        self.engine = engine
        self._leave: Callable[[], Coroutine[None, None, None]] | None = leave

    async def close(self) -> None:
        """Give the engine back; the last one to do so frees it. A second call does nothing."""
        leave, self._leave = self._leave, None
        if leave is not None:
            await leave()


async def _free(entry: _Entry) -> None:
    await asyncio.wait([entry.loading])
    if entry.loading.cancelled() or entry.loading.exception() is not None:
        return  # there is nothing to free, and whoever waited for it was told
    await asyncio.to_thread(entry.loading.result().close)
