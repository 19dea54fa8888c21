"""What a plugin implements to keep replies for the cache: a ``CacheStore`` holds bytes and knows nothing of requests.

The policy (what is kept, under which key, for how long, and who calls a provider for all) is the cache stage's. It
guards every call: a store that fails or takes longer than its ``timeout`` is a miss, and no request fails for it.
"""

from __future__ import annotations

from time import monotonic
from typing import TypeVar

from jackfield.components import Build, Component
from jackfield.settings import Settings

__all__ = ["CacheStore", "StoreHealth"]

_MINUTE = 60.0
_PAUSE = 0.5
"""Seconds for which a kind of call that has failed is left out."""
_QUIET = 2.0
"""Seconds without a failure after which a success counts as the end of an outage."""
SettingsT = TypeVar("SettingsT", bound=Settings)


class StoreHealth:
    """Which kinds of calls of a store fail at present; kept with the store, as several components may use it.

    A kind works again when it succeeds after a quiet time: a server that is full, or on its way up or down, lets one
    call through and refuses the next, and that is one outage.
    """

    def __init__(self) -> None:
        self._failing: dict[str, float] = {}
        self._rubbish_until = 0.0

    def rubbish(self) -> bool:
        """Note a value that nobody here can have written; return whether none was found in the last minute."""
        first = self._rubbish_until <= monotonic()
        self._rubbish_until = monotonic() + _MINUTE
        return first

    def paused(self, kind: str) -> bool:
        """Whether calls of a kind are left out for the moment, as the last one failed just now."""
        return bool(self._failing) and self._failing.get(kind, 0.0) + _PAUSE > monotonic()

    def fails(self, kind: str) -> bool:
        """Note a failure, and leave such calls out for a moment; return whether the store worked before."""
        worked = not self._failing
        self._failing[kind] = monotonic()
        return worked

    def works(self, kind: str) -> bool:
        """Note a success; return whether that ends the trouble."""
        if not self._failing or self._failing.get(kind, monotonic()) + _QUIET > monotonic():
            return False
        del self._failing[kind]
        return not self._failing


class CacheStore(Component[SettingsT]):
    """A component that keeps replies (``cache.*``). Its four methods may raise whatever goes wrong."""

    timeout: float | None = 0.05
    """Seconds that the cache stage waits for one call; None for a store that never waits."""

    shared: bool = False
    """True if several processes see the same entries, so that a lease means something."""

    def __init__(self, build: Build[SettingsT]) -> None:
        super().__init__(build)
        self.health = StoreHealth()

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
