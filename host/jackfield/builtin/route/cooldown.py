"""Which of a router's targets had better be left alone for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from jackfield import BreakerOpen, Overloaded, ProviderError, RequestError, Target

__all__ = ["Cooldown"]

_FAILURES = 3
"""How many failures in a row make a target cool down."""

_FIRST = 5.0
"""Seconds for which it then cools down; each further failure doubles them."""

_LONGEST = 60.0
"""Seconds at most, also where a provider names more in its Retry-After."""


@dataclass(slots=True)
class _Trouble:
    failures: int = 0
    until: float = float("-inf")


class Cooldown:
    """Remembers the failures of targets. A target that has had none costs a request nothing.

    Args:
        clock: seconds of a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._troubles: dict[Target, _Trouble] = {}

    def last(self, order: Iterable[Target]) -> list[Target]:
        """Put the targets that cool down behind the others, both in their order."""
        if not self._troubles:
            return list(order)
        now = self._clock()
        return sorted(order, key=lambda target: target in self._troubles and now < self._troubles[target].until)

    def succeeded(self, target: Target) -> None:
        """Forget a target's failures."""
        if self._troubles:
            self._troubles.pop(target, None)

    def failed(self, target: Target, error: RequestError) -> None:
        """Remember a failure.

        An open breaker and a full component are the host's own doing, and known at once: they don't count. Failures
        while a target cools down don't either, or a burst of requests would make it the longest time at once.
        """
        if isinstance(error, BreakerOpen | Overloaded):
            return
        now = self._clock()
        trouble = self._troubles.setdefault(target, _Trouble())
        wanted = error.retry_after if isinstance(error, ProviderError) else None
        if wanted is not None:
            trouble.until = max(trouble.until, now + min(wanted, _LONGEST))
        elif now >= trouble.until:
            trouble.failures += 1
            if trouble.failures >= _FAILURES:
                doublings = min(trouble.failures - _FAILURES, 8)
                trouble.until = now + min(_FIRST * 2**doublings, _LONGEST)
