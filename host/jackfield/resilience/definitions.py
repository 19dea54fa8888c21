"""What a Resiliency manifest defines: the policies themselves (contract sheet, section 7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.resilience.trip import DEFAULT_TRIP, Trip

__all__ = ["BreakerPolicy", "RetryPolicy", "TimeoutPolicy"]


@dataclass(frozen=True, slots=True)
class TimeoutPolicy:
    """A time limit.

    Attributes:
        name: the policy's name.
        seconds: how long to wait; 0 means without limit.
    """

    name: str
    seconds: float

    @property
    def origin(self) -> str:
        """Which limit it is, for the text of the error when it runs out."""
        return f"the timeout {self.name} of a Resiliency manifest"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When and how often a call is repeated.

    Attributes:
        name: the policy's name.
        exponential: the waits grow from ``INITIAL`` on; else each of them is ``duration``.
        duration: seconds between constant repeats.
        max_interval: the longest of growing waits, and the longest ``Retry-After`` that is waited for, in seconds.
        max_retries: how often at most; None without limit.
        statuses: the provider's statuses that are worth a repeat; None for all but those of wrong requests.
    """

    name: str
    exponential: bool = False
    duration: float = 5.0
    max_interval: float = 60.0
    max_retries: int | None = None
    statuses: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When calls are kept from a provider that fails.

    Attributes:
        name: the policy's name.
        max_requests: trial calls at once while half-open, and successes that close it again.
        interval: seconds after which a closed breaker begins to count anew; 0 for never.
        timeout: seconds for which it stays open.
        trip: when it opens.
    """

    name: str
    max_requests: int = 1
    interval: float = 0.0
    timeout: float = 60.0
    trip: Trip = DEFAULT_TRIP
