"""A circuit breaker's states, against a plain model and case by case."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.errors import BreakerOpen
from jackfield.resilience.breaker import Breaker, BreakerState
from jackfield.resilience.definitions import BreakerPolicy
from jackfield.resilience.trip import Trip, compile_trip
from jackfield.resilience.verdicts import Verdict

SUCCESS, FAILURE, NEITHER = Verdict.SUCCESS, Verdict.FAILURE, Verdict.NEITHER


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def tripping(failures: int) -> Trip:
    """Open after so many failures in a row."""
    return compile_trip(f"consecutiveFailures >= {failures}")


def breaker(clock: Clock, **policy: object) -> Breaker:
    """A breaker that opens at the second failure, unless a test says otherwise."""
    return Breaker(BreakerPolicy("cb", **{"trip": tripping(2), "timeout": 10.0, **policy}), "llm", clock)  # type: ignore[arg-type]


def call(one: Breaker, verdict: Verdict) -> None:
    """Make one call that ends so."""
    one.leave(one.enter(), verdict)


def state(one: Breaker) -> BreakerState:
    """How a breaker stands now; a function, as the type checker takes an attribute to be what it was."""
    return one.state


def is_open(one: Breaker) -> bool:
    """Whether a call is refused; one that isn't says nothing."""
    try:
        call(one, NEITHER)
    except BreakerOpen:
        return True
    return False


def test_it_opens_when_its_expression_holds_and_tries_again_after_its_timeout() -> None:
    """Closed, open for the timeout, half-open for trial calls, and closed again when they succeed."""
    clock = Clock()
    one = breaker(clock, max_requests=2)
    call(one, FAILURE)
    assert state(one) is BreakerState.CLOSED
    call(one, FAILURE)
    assert state(one) is BreakerState.OPEN
    clock.now = 9.9
    assert is_open(one)
    clock.now = 10.0
    assert state(one) is BreakerState.HALF_OPEN
    call(one, SUCCESS)
    assert state(one) is BreakerState.HALF_OPEN
    call(one, SUCCESS)
    assert state(one) is BreakerState.CLOSED


def test_a_trial_call_that_fails_opens_it_for_another_timeout() -> None:
    """One failure while half-open is enough, whatever the expression says."""
    clock = Clock()
    one = breaker(clock, trip=tripping(1))
    call(one, FAILURE)
    clock.now = 10.0
    call(one, FAILURE)
    assert state(one) is BreakerState.OPEN
    clock.now = 19.9
    assert is_open(one)


def test_no_more_trial_calls_run_at_once_than_it_allows() -> None:
    """While as many run as maxRequests says, a further call is refused, and says so."""
    clock = Clock()
    one = breaker(clock, trip=tripping(1), max_requests=2)
    call(one, FAILURE)
    clock.now = 10.0
    one.enter()
    one.enter()
    with pytest.raises(BreakerOpen, match="too many requests: the circuit breaker cb-llm is half-open"):
        one.enter()


def test_a_trial_call_that_says_nothing_gives_its_place_back() -> None:
    """A client that leaves, or a wrong request, neither closes the breaker nor keeps it half-open for ever."""
    clock = Clock()
    one = breaker(clock, trip=tripping(1))
    call(one, FAILURE)
    clock.now = 10.0
    call(one, NEITHER)
    assert state(one) is BreakerState.HALF_OPEN
    call(one, SUCCESS)
    assert state(one) is BreakerState.CLOSED


def test_a_call_from_before_a_change_of_state_counts_no_more() -> None:
    """A slow failure that began while the breaker was closed doesn't open it again after it has recovered."""
    clock = Clock()
    one = breaker(clock, trip=tripping(1))
    slow = one.enter()
    call(one, FAILURE)
    clock.now = 10.0
    call(one, SUCCESS)
    one.leave(slow, FAILURE)
    assert state(one) is BreakerState.CLOSED


def test_an_interval_clears_the_counts_while_it_is_closed() -> None:
    """Failures further apart than the interval don't add up."""
    clock = Clock()
    one = breaker(clock, interval=5.0)
    call(one, FAILURE)
    clock.now = 5.0
    call(one, FAILURE)
    assert state(one) is BreakerState.CLOSED
    call(one, FAILURE)
    assert state(one) is BreakerState.OPEN


def test_an_open_breaker_says_until_when() -> None:
    """The error names the breaker, the wait and the time, for people and for stages."""
    clock = Clock()
    one = breaker(clock, trip=tripping(1))
    call(one, FAILURE)
    clock.now = 2.5
    with pytest.raises(BreakerOpen, match=r"^.*circuit breaker is open: cb-llm .* in 7\.5s, at 20\d\d-.*Z$") as raised:
        one.enter()
    assert raised.value.retry_after == 7.5


def test_each_change_of_state_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log has daprd's lines, as warnings, with their parts as fields."""
    clock = Clock()
    one = breaker(clock, trip=tripping(1))
    with caplog.at_level(logging.WARNING, "jackfield.resilience"):
        call(one, FAILURE)
        clock.now = 10.0
        call(one, SUCCESS)
    assert [record.getMessage() for record in caplog.records] == [
        'Circuit breaker "cb-llm" changed state from closed to open',
        'Circuit breaker "cb-llm" changed state from open to half-open',
        'Circuit breaker "cb-llm" changed state from half-open to closed',
    ]
    assert vars(caplog.records[0]).items() >= {"breaker": "cb-llm", "component": "llm", "from": "closed"}.items()


def test_an_expression_without_a_value_does_not_open_it(caplog: pytest.LogCaptureFixture) -> None:
    """As in daprd a division by zero leaves the breaker closed; the log says it once."""
    one = breaker(Clock(), trip=compile_trip("totalFailures / totalSuccesses > 1"))
    with caplog.at_level(logging.WARNING, "jackfield.resilience"):
        for _ in range(3):
            call(one, FAILURE)
    assert state(one) is BreakerState.CLOSED
    assert [record.getMessage() for record in caplog.records] == [
        "the trip expression of a circuit breaker has no value; it stays closed"
    ]


@dataclass
class Model:
    """What a breaker does, said as plainly as can be: a list of what has happened in the present state."""

    policy: BreakerPolicy
    trip_at: int
    state: str = "closed"
    since: float = 0.0
    era: int = 0
    ended: list[Verdict] = field(default_factory=list)
    running: int = 0

    def look(self, now: float) -> None:
        if self.state == "open" and now - self.since >= self.policy.timeout:
            self.turn("half-open", now)
        elif self.state == "closed" and self.policy.interval and now - self.since >= self.policy.interval:
            self.turn("closed", now)

    def turn(self, state: str, now: float) -> None:
        self.state, self.since, self.ended, self.running, self.era = state, now, [], 0, self.era + 1

    def enter(self, now: float) -> int | None:
        self.look(now)
        full = self.running + len(self.ended) >= self.policy.max_requests
        if self.state == "open" or (self.state == "half-open" and full):
            return None
        self.running += 1
        return self.era

    def leave(self, era: int, verdict: Verdict, now: float) -> None:
        self.look(now)
        if era != self.era:
            return
        self.running -= 1
        self.ended += [verdict] if verdict is not NEITHER else []
        if self.state == "half-open":
            if verdict is FAILURE:
                self.turn("open", now)
            elif self.ended == [SUCCESS] * self.policy.max_requests:
                self.turn("closed", now)
        elif verdict is FAILURE and self.ended[-self.trip_at :] == [FAILURE] * self.trip_at:
            self.turn("open", now)


STEPS = st.lists(
    st.one_of(
        st.just(("enter", 0)),
        st.tuples(st.just("wait"), st.integers(1, 12)),
        st.tuples(st.sampled_from(["success", "failure", "neither"]), st.integers(0, 5)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 3), st.sampled_from([0.0, 7.0]), st.integers(1, 3))
def test_it_does_what_a_plain_model_does(
    steps: list[tuple[str, int]], max_requests: int, interval: float, trip_at: int
) -> None:
    """Whatever calls begin and end in whatever order, the breaker refuses and lets through what the model does."""
    clock = Clock()
    policy = BreakerPolicy("cb", max_requests=max_requests, interval=interval, timeout=10.0, trip=tripping(trip_at))
    one, model = Breaker(policy, "llm", clock), Model(policy, trip_at)
    running: list[tuple[int, int]] = []
    for step, number in steps:
        if step == "wait":
            clock.now += number
        elif step == "enter":
            expected = model.enter(clock.now)
            try:
                ticket = one.enter()
            except BreakerOpen:
                assert expected is None
            else:
                assert expected is not None
                running.append((ticket, expected))
        elif running:
            ticket, era = running.pop(number % len(running))
            verdict = Verdict(step)
            one.leave(ticket, verdict)
            model.leave(era, verdict, clock.now)
        model.look(clock.now)
        assert one.state.value == model.state
