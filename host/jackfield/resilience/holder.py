"""What one component's calls are guarded by at the moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass

from jackfield.chain.patience import gaps, whole
from jackfield.events import Event, Result
from jackfield.resilience.breaker import Breaker
from jackfield.resilience.definitions import RetryPolicy, TimeoutPolicy
from jackfield.resilience.repeats import Repeats
from jackfield.resilience.timing import REAL, Timing
from jackfield.resilience.verdicts import Verdict

__all__ = ["ArmedPlan", "Holder"]


@dataclass(frozen=True, slots=True)
class ArmedPlan:
    """A plan with its breaker, which has a state. A request uses the one that it began with to its end."""

    timeout: TimeoutPolicy | None = None
    retry: RetryPolicy | None = None
    breaker: Breaker | None = None

    def enter(self) -> int:
        """Ask the breaker to let an attempt through; gives a ticket for ``leave``.

        Raises:
            BreakerOpen: it doesn't.
        """
        return self.breaker.enter() if self.breaker is not None else 0

    def begun(self, ticket: int) -> int:
        """Tell the breaker of a streamed attempt's first event; gives the ticket for ``leave``."""
        return self.breaker.begun(ticket) if self.breaker is not None else ticket

    def leave(self, ticket: int, verdict: Verdict) -> None:
        """Tell the breaker how the attempt ended."""
        if self.breaker is not None:
            self.breaker.leave(ticket, verdict)

    def whole(self, reply: Awaitable[Result]) -> Awaitable[Result]:
        """Put the time limit around a whole reply."""
        limit = self.timeout
        return reply if limit is None else whole(reply, limit.seconds, limit.origin)

    def gaps(self, events: AsyncGenerator[Event, None], *, first_only: bool) -> AsyncGenerator[Event, None]:
        """Put the time limit around the wait for each event, or for the first alone."""
        limit = self.timeout
        return events if limit is None else gaps(events, limit.seconds, limit.origin, first_only=first_only)


class Holder:
    """Where a component's chain finds its plan; a reload replaces ``plan`` and leaves the chain alone.

    Args:
        component: the component's name.
        is_router: it has targets instead of a provider.
        timing: where time and chance come from.

    Attributes:
        plan: what applies now; None if nothing does.
    """

    __slots__ = ("__weakref__", "component", "is_router", "plan", "timing")

    def __init__(self, component: str, *, is_router: bool = False, timing: Timing = REAL) -> None:
        self.component = component
        self.is_router = is_router
        self.timing = timing
        self.plan: ArmedPlan | None = None

    def repeats(self, plan: ArmedPlan) -> Repeats | None:
        """Begin to count a request's failures; None if the plan repeats nothing."""
        return Repeats(plan.retry, self.component, self.timing) if plan.retry is not None else None
