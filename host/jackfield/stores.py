"""What a plugin implements to keep replies for the cache: a ``CacheStore`` holds bytes and knows nothing of requests.

The policy (what is kept, under which key, for how long, and who calls a provider for all) is the cache stage's. It
guards every call: a store that fails or takes longer than its ``timeout`` is a miss, and no request fails for it.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from jackfield.components import Build, Component
from jackfield.settings import Settings

__all__ = ["CacheStore", "StoreHealth"]

_MINUTE = 60.0
_PAUSE = 0.5
"""Seconds for which calls are left out after one has failed."""
_QUIET = 2.0
"""Seconds without a failure after which a success counts as the end of an outage."""
SettingsT = TypeVar("SettingsT", bound=Settings)


class StoreHealth:
    """Which calls of a store fail at present; kept with the store, as several components may use it.

    A store that doesn't answer is left alone for a moment, whatever is asked of it; then one call tries, and the others
    are let through when it has been answered. One that answers with a refusal, as a full one does, is spared calls of
    that kind alone.

    A store works again when a call succeeds after a quiet time: a server that is full, or on its way up or down, lets
    one call through and refuses the next, and that is one outage.

    Args:
        clock: seconds of a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._refused: dict[str, float] = {}
        self._silent: float | None = None  # when it last gave no answer, in this outage
        self._down = False
        self._trying = False
        self._rubbish_until = 0.0

    def rubbish(self) -> bool:
        """Note a value that nobody here can have written; return whether none was found in the last minute."""
        first = self._rubbish_until <= self._clock()
        self._rubbish_until = self._clock() + _MINUTE
        return first

    def enter(self, kind: str) -> bool:
        """Ask whether a call of a kind may be made now.

        After a True the caller owes one of ``fails``, ``works`` and ``leave``.
        """
        if self._down:
            if self._trying or (self._silent or 0.0) + _PAUSE > self._clock():
                return False
            self._trying = True
            return True
        return not self._refused or self._refused.get(kind, 0.0) + _PAUSE <= self._clock()

    def leave(self) -> None:
        """Note that a call has ended without saying anything about the store, as its request was cancelled."""
        self._trying = False

    def fails(self, kind: str, error: BaseException) -> bool:
        """Note a failure, and leave calls out for a moment; return whether the store worked before.

        Args:
            kind: what was asked for.
            error: an ``OSError`` (``TimeoutError`` and ``ConnectionError`` are some) or ``EOFError`` if no answer came;
                any other is taken for an answer.
        """
        worked = not self._in_trouble
        if isinstance(error, OSError | EOFError):
            self._down, self._silent = True, self._clock()
            self._refused.clear()  # by a store that may be another one when it is back
        else:
            self._refused[kind] = self._clock()
            self._down = self._down and not self._trying
        self._trying = False
        return worked

    def works(self, kind: str) -> bool:
        """Note a success; return whether that ends the trouble."""
        if self._silent is None and not self._refused:
            return False
        if self._trying:  # else it was asked before the store fell silent
            self._down = self._trying = False
        before = self._clock() - _QUIET
        if self._silent is not None and self._silent <= before:
            self._silent = None
        if self._refused.get(kind, before + 1) <= before:
            del self._refused[kind]
        return not self._in_trouble

    @property
    def _in_trouble(self) -> bool:
        return self._silent is not None or bool(self._refused)


class CacheStore(Component[SettingsT]):
    """A component that keeps replies (``cache.*``). Its four methods may raise whatever goes wrong.

    An ``OSError`` (``TimeoutError`` and ``ConnectionError`` are some) says that the store gave no answer: then it is
    left alone for a moment. Any other error is taken for its answer to that kind of call.
    """

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
