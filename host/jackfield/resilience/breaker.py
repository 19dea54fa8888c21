"""A circuit breaker, with the semantics of the one in daprd (contract sheet, section 7)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from jackfield.durations import format_go
from jackfield.errors import BreakerOpen
from jackfield.resilience.definitions import BreakerPolicy
from jackfield.resilience.trip import Counts, TripFailed
from jackfield.resilience.verdicts import Verdict

__all__ = ["Breaker", "BreakerState"]

_log = logging.getLogger("jackfield.resilience")
_COUNTED = 0
"""The ticket of no generation."""


class BreakerState(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    """Calls pass and are counted."""
    OPEN = "open"
    """No call passes."""
    HALF_OPEN = "half-open"
    """A few trial calls pass, to see whether the provider is back."""


class Breaker:
    """Keeps calls from a component that fails. Belongs to one event loop; each worker process has its own.

    Args:
        policy: when it opens, and for how long.
        component: the component's name.
        clock: seconds that only rise.
        changed: called after every change of state, with the component's name, the breaker's and the state.
    """

    def __init__(
        self,
        policy: BreakerPolicy,
        component: str,
        clock: Callable[[], float],
        changed: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        self.policy: Final = policy
        self.component: Final = component
        self.name: Final = f"{policy.name}-{component}"
        self._clock = clock
        self._changed = changed
        self._state = BreakerState.CLOSED
        self._counts = Counts()
        self._generation = 0
        self._expires: float | None = None
        self._told = False
        self._begin(BreakerState.CLOSED, clock())

    @property
    def state(self) -> BreakerState:
        """How it stands at this moment."""
        over = self._expires is not None and self._clock() >= self._expires
        return BreakerState.HALF_OPEN if self._state is BreakerState.OPEN and over else self._state

    def enter(self) -> int:
        """Let a call through.

        Returns:
            A ticket to hand in with ``leave``, exactly once.

        Raises:
            BreakerOpen: it lets none through at the moment.
        """
        now = self._clock()
        self._move_on(now)
        if self._state is BreakerState.OPEN:
            raise self._refusal(now)
        if self._state is BreakerState.HALF_OPEN and self._counts.requests >= self.policy.max_requests:
            raise BreakerOpen(
                f"too many requests: the circuit breaker {self.name} is half-open, until its trial calls have ended"
            )
        self._counts.requests += 1
        return self._generation

    def begun(self, ticket: int) -> int:
        """Take in that a streamed call has its first event; gives the ticket to hand in at its end.

        A trial call has succeeded with that: its reader may take any time, and others wait for its place.
        """
        if ticket != self._generation or self._state is not BreakerState.HALF_OPEN:
            return ticket
        self.leave(ticket, Verdict.SUCCESS)
        return _COUNTED

    def leave(self, ticket: int, verdict: Verdict) -> None:
        """Count how a call ended. One that began before the last change of state counts no more."""
        now = self._clock()
        self._move_on(now)
        if ticket != self._generation:
            return
        if verdict is Verdict.NEITHER:
            # As if it had never been let through: a trial call that says nothing must not use up its place.
            self._counts.requests -= 1
        elif verdict is Verdict.SUCCESS:
            self._counts.succeeded()
            half_open = self._state is BreakerState.HALF_OPEN
            if half_open and self._counts.consecutive_successes >= self.policy.max_requests:
                self._change(BreakerState.CLOSED, now)
        else:
            self._counts.failed()
            if self._state is BreakerState.HALF_OPEN or self._trips():
                self._change(BreakerState.OPEN, now)

    def _move_on(self, now: float) -> None:
        """Do what the clock has brought about since the last look."""
        if self._expires is None or now < self._expires:
            return
        if self._state is BreakerState.OPEN:
            self._change(BreakerState.HALF_OPEN, now)
        else:
            self._begin(self._state, now)

    def _trips(self) -> bool:
        try:
            return self.policy.trip.holds(self._counts)
        except TripFailed as error:
            if not self._told:
                self._told = True
                text = "the trip expression of a circuit breaker has no value; it stays closed"
                _log.warning(text, extra={"breaker": self.name, "trip": self.policy.trip.text, "cause": str(error)})
            return False

    def _change(self, state: BreakerState, now: float) -> None:
        before = self._state
        self._begin(state, now)
        about = {"breaker": self.name, "component": self.component, "from": before.value, "to": state.value}
        _log.warning('Circuit breaker "%s" changed state from %s to %s', self.name, before, state, extra=about)
        self._changed(self.component, self.name, state.value)

    def _begin(self, state: BreakerState, now: float) -> None:
        """Begin to count anew."""
        self._state = state
        self._generation += 1
        self._counts = Counts()
        lasts = {BreakerState.CLOSED: self.policy.interval, BreakerState.OPEN: self.policy.timeout}.get(state)
        self._expires = now + lasts if lasts else None

    def _refusal(self, now: float) -> BreakerOpen:
        assert self._expires is not None  # noqa: S101  an open breaker has an end
        left = self._expires - now
        until = (datetime.now(UTC) + timedelta(seconds=left)).isoformat(timespec="seconds").replace("+00:00", "Z")
        wait = format_go(max(round(left, 3), 0.001))
        return BreakerOpen(
            f"circuit breaker is open: {self.name} lets the next call through in {wait}, at {until}", retry_after=left
        )
