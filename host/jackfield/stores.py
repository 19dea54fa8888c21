"""What a plugin implements to keep replies for the cache: a ``CacheStore`` holds bytes and knows nothing of requests.

The policy (what is kept, under which key, for how long, and who calls a provider for all) is the cache stage's. It
guards every call: a store that fails or takes longer than its ``timeout`` is a miss, and no request fails for it.
"""

from __future__ import annotations

from typing import TypeVar

from jackfield.components import Component
from jackfield.settings import Settings

__all__ = ["CacheStore"]

SettingsT = TypeVar("SettingsT", bound=Settings)


class CacheStore(Component[SettingsT]):
    """A component that keeps replies (``cache.*``). Its four methods may raise whatever goes wrong."""

    timeout: float | None = 0.05
    """Seconds that the cache stage waits for one call; None for a store that never waits."""

    shared: bool = False
    """True if several processes see the same entries, so that a lease means something."""

    async def get(self, key: str) -> bytes | None:
        """Return what is kept under a key; None if nothing is, or if its time is over."""
        raise NotImplementedError

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep a value for ``ttl`` seconds, more than 0; it replaces what was there."""
        raise NotImplementedError

    async def lease(self, key: str, holder: str, seconds: float) -> bool:
        """Take or renew the lease on a key for some seconds; one holder at a time has it.

        Returns:
            Whether ``holder`` has it now.
        """
        raise NotImplementedError

    async def release(self, key: str, holder: str) -> None:
        """Give a lease back; nothing happens if another holder has it by now."""
        raise NotImplementedError
