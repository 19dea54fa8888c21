"""When a target is left alone, for how long, and what ends it."""

from __future__ import annotations

import pytest

from jackfield import BreakerOpen, Overloaded, ProviderError, ProviderUnreachable, RequestError, Target
from jackfield.builtin.route.cooldown import Cooldown

A, B, C = Target("a"), Target("b"), Target("c")
DOWN = ProviderError("down", status=503)


class Clock:
    """A clock that stands until it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def cools_for(cooldown: Cooldown, clock: Clock, target: Target = A) -> float:
    """Seconds until a target is tried in its place again, found by moving the clock to just before and to it."""
    began = clock.now
    while cooldown.last([target, C]) == [C, target]:
        clock.now += 0.5
    return clock.now - began


@pytest.mark.parametrize(("wanted", "seconds"), [(2.0, 2.0), (30.0, 30.0), (3600.0, 60.0), (0.0, 0.0)])
def test_a_provider_may_say_how_long(wanted: float, seconds: float) -> None:
    """One answer with Retry-After is enough; a minute is the most that is believed."""
    clock = Clock()
    cooldown = Cooldown(clock)
    cooldown.failed(A, ProviderError("slow down", status=429, retry_after=wanted))
    assert cools_for(cooldown, clock) == seconds


def test_the_third_failure_in_a_row_cools_and_each_further_one_doubles_it() -> None:
    """Five seconds, ten, twenty, forty, and a minute from then on."""
    clock = Clock()
    cooldown = Cooldown(clock)
    for _ in range(2):
        cooldown.failed(A, DOWN)
        assert cools_for(cooldown, clock) == 0
    times = []
    for _ in range(6):
        cooldown.failed(A, ProviderUnreachable("gone"))
        times.append(cools_for(cooldown, clock))
    assert times == [5, 10, 20, 40, 60, 60]


def test_a_burst_of_failures_counts_once() -> None:
    """What had begun before the target cooled down doesn't make it longer."""
    clock = Clock()
    cooldown = Cooldown(clock)
    for _ in range(200):
        cooldown.failed(A, DOWN)
    assert cools_for(cooldown, clock) == 5


def test_a_success_forgets_all() -> None:
    """The next failures count from one again, and a target that cools down is back at once."""
    clock = Clock()
    cooldown = Cooldown(clock)
    for _ in range(3):
        cooldown.failed(A, DOWN)
    cooldown.succeeded(A)
    assert cools_for(cooldown, clock) == 0
    cooldown.failed(A, DOWN)
    cooldown.failed(A, DOWN)
    assert cools_for(cooldown, clock) == 0


@pytest.mark.parametrize("error", [BreakerOpen("open", retry_after=9), Overloaded("full")])
def test_the_hosts_own_refusals_dont_count(error: RequestError) -> None:
    """A breaker knows better when to try again, and asking it costs nothing."""
    clock = Clock()
    cooldown = Cooldown(clock)
    for _ in range(9):
        cooldown.failed(A, error)
    assert cools_for(cooldown, clock) == 0


def test_targets_that_cool_down_are_last_and_not_left_out() -> None:
    """Both groups keep their order; where all cool down it is the whole one."""
    cooldown = Cooldown(Clock())
    for target, order in ((A, [B, C, A]), (B, [C, A, B]), (C, [A, B, C])):
        cooldown.failed(target, ProviderError("slow down", status=429, retry_after=9))
        assert cooldown.last([A, B, C]) == order
