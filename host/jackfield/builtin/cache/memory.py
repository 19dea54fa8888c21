"""``cache.memory``: keeps replies in the process, the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic

from pydantic import Field

from jackfield import Build, ByteSize, CacheStore, Settings

__all__ = ["MemorySettings", "MemoryStore"]

_ENTRY_COST = 300
"""Bytes that an entry takes beside its key and value: the dictionary's share, a tuple, and objects' heads."""


class MemorySettings(Settings):
    """What a manifest of the type may set."""

    max_size: ByteSize = Field(default=64 << 20, ge=0, description="How much memory the entries may take in all.")


class MemoryStore(CacheStore[MemorySettings]):
    """Keeps values up to a number of bytes. It never waits, and has nobody to share a lease with."""

    Settings = MemorySettings
    timeout: float | None = None

    def __init__(self, build: Build[MemorySettings]) -> None:
        super().__init__(build)
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._limit = self.settings.max_size
        self._size = 0

    @property
    def size(self) -> int:
        """The bytes that the entries take."""
        return self._size

    async def get(self, key: str) -> bytes | None:
        """Return what is kept, and count that as a use."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] <= monotonic():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry[0]

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep a value; one that is larger than the whole store is not kept."""
        if key in self._entries:
            self._drop(key)
        cost = _cost(key, value)
        if cost > self._limit:
            return
        while self._size + cost > self._limit:
            self._drop(next(iter(self._entries)))
        self._entries[key] = (value, monotonic() + ttl)
        self._size += cost

    async def lease(self, key: str, holder: str, seconds: float) -> bool:  # noqa: ARG002  nobody else could have it
        """Give the lease to whoever asks: within one process the cache stage keeps order itself."""
        return True

    async def release(self, key: str, holder: str) -> None:
        """Do nothing: there is no lease."""

    async def close(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._size = 0

    def _drop(self, key: str) -> None:
        value, _ = self._entries.pop(key)
        self._size -= _cost(key, value)


def _cost(key: str, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_COST
