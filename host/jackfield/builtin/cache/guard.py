"""Calls of a store that can't harm a request: what fails or takes too long is a miss."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from jackfield import CacheStore, Supply, is_fault
from jackfield.builtin.cache.stored import Failed, Kept, decode

__all__ = ["Guard"]

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger("jackfield.cache")


class Guard:
    """A store with its time limit.

    Args:
        supply: the store.
    """

    def __init__(self, supply: Supply[CacheStore[Any]]) -> None:
        self._supply = supply
        self._store = supply.component
        self.shared = self._store.shared
        self.waits = self.shared or self._store.timeout is not None  # for the store, or for another replica

    async def get(self, key: str) -> Kept | Failed | None:
        """Return what is kept; None for a miss of any kind."""
        value = await self._call("get", self._store.get, key)
        if value is None:
            return None
        try:
            return decode(value)
        except Exception as error:  # noqa: BLE001  anything may stand in a store that others write to
            if self._store.health.rubbish():
                about = {"store": self._store.name, "error": type(error).__name__}
                _log.warning("the cache's store holds what can't be read, which counts as a miss", extra=about)
            return None

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep a value, if the store can."""
        await self._call("set", self._store.set, key, value, ttl)

    async def lease(self, key: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease; without the store everybody has it."""
        return await self._call("lease", self._store.lease, key, holder, seconds) is not False

    async def release(self, key: str, holder: str) -> None:
        """Give a lease back; without the store it ends by itself."""
        await self._call("release", self._store.release, key, holder)

    async def _call(self, kind: str, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T | None:
        health = self._store.health
        if not health.enter(kind):
            return None
        try:
            if not self._supply.ready:
                await self._supply.wait()
            if self._store.timeout is None:
                result = await call(*args, **kwargs)
            else:
                async with asyncio.timeout(self._store.timeout):
                    result = await call(*args, **kwargs)
        except BaseException as error:
            if not is_fault(error):
                health.leave()
                raise
            self._failed(kind, error)  # a store may raise anything, and no request fails for it
            return None
        if health.works(kind):
            _log.info("the cache's store works again", extra={"store": self._store.name})
        return result

    def _failed(self, kind: str, error: BaseException) -> None:
        if self._store.health.fails(kind, error):
            # The text of an error may hold a key or what a server was told: its type is enough to act on.
            about = {"store": self._store.name, "plugin": self._store.plugin}
            about |= {"error": type(error).__name__, "while": kind}
            _log.warning("the cache's store doesn't work, and every request counts as a miss", extra=about)
