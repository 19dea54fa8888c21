"""When a failed call is made again: the waits of one request (contract sheet, section 7)."""

from __future__ import annotations

import logging

from jackfield.durations import format_go
from jackfield.errors import ProviderError, RequestError
from jackfield.resilience.definitions import RetryPolicy
from jackfield.resilience.timing import Timing
from jackfield.resilience.verdicts import is_worth_a_repeat

__all__ = ["Repeats"]

_log = logging.getLogger("jackfield.resilience")
_INITIAL = 0.5
_FACTOR = 1.5
_JITTER = 0.5
_LONGEST_IN_ALL = 15 * 60.0


class Repeats:
    """The repeats of one request.

    Args:
        policy: what to repeat, how often and after which waits.
        component: the component's name, for the log.
        timing: where time and chance come from.
    """

    def __init__(self, policy: RetryPolicy, component: str, timing: Timing) -> None:
        self._policy = policy
        self._component = component
        self._timing = timing
        self._began = timing.clock()
        self._interval = min(_INITIAL, policy.max_interval)
        self._failures = 0

    def wait(self, error: RequestError) -> float | None:
        """Take in a failure.

        A wait that the provider asks for replaces a shorter one of the policy, up to ``maxInterval``. If it asks for
        more, the request ends with its error: to ask sooner would be refused again, and to wait would outlast clients.

        Returns:
            Seconds to wait before the next attempt; None if there is to be none.
        """
        policy = self._policy
        if not is_worth_a_repeat(error, policy.statuses):
            return None
        self._failures += 1
        if policy.max_retries is not None and self._failures > policy.max_retries:
            return None
        wait = self._next() if policy.exponential else policy.duration
        asked = error.retry_after if isinstance(error, ProviderError) else None
        if asked is not None and asked > wait:
            if asked > policy.max_interval:
                return None
            wait = asked
        if policy.exponential and self._timing.clock() - self._began + wait > _LONGEST_IN_ALL:
            return None
        if self._failures == 1:
            self._tell(error, wait)
        return wait

    def succeeded(self) -> None:
        """Log that a repeat has brought the reply."""
        if self._failures:
            text = "Recovered processing operation component[%s] output after %d attempts"
            about = {"component": self._component, "policy": self._policy.name, "attempts": self._failures + 1}
            _log.info(text, self._component, self._failures + 1, extra=about)

    def _next(self) -> float:
        interval = self._interval
        self._interval = min(interval * _FACTOR, self._policy.max_interval)
        return interval * (1 - _JITTER + 2 * _JITTER * self._timing.chance())

    def _tell(self, error: RequestError, wait: float) -> None:
        text = "Error processing operation component[%s] output. Retrying in %s…"
        about: dict[str, object] = {"component": self._component, "policy": self._policy.name}
        about |= {"error": type(error).__name__}
        if isinstance(error, ProviderError) and error.status is not None:
            about["status"] = error.status
        _log.warning(text, self._component, format_go(round(wait, 3)), extra=about)
