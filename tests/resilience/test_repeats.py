"""When a failed call is made again, and after which wait."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest

from jackfield.errors import (
    BreakerOpen,
    InvalidParameters,
    InvokeError,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    ScrubberMissing,
)
from jackfield.resilience.definitions import RetryPolicy
from jackfield.resilience.repeats import Repeats
from jackfield.resilience.timing import Timing
from jackfield.resilience.verdicts import Verdict, judge

FAILED = ProviderError("no", status=500)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def repeats(clock: Clock | None = None, *, chance: float = 0.5, **policy: Any) -> Repeats:
    """The repeats of one request."""
    timing = Timing(clock=clock or Clock(), chance=lambda: chance)
    return Repeats(RetryPolicy("slow", **policy), "llm", timing)


def waits(one: Repeats, error: RequestError = FAILED, *, most: int = 12) -> list[float | None]:
    """The waits after so many failures."""
    return [one.wait(error) for _ in range(most)]


def test_constant_waits_are_all_the_same() -> None:
    """Without settings a call is repeated every five seconds, for ever, as daprd does."""
    assert waits(repeats(), most=100) == [5.0] * 100


def test_growing_waits_go_up_to_the_longest() -> None:
    """From 500 ms on, each wait is half as long again, up to maxInterval."""
    found = waits(repeats(exponential=True, max_interval=2.0), most=6)
    assert found == [0.5, 0.75, 1.125, 1.6875, 2.0, 2.0]


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.25), (0.5, 0.5), (0.999999, 0.75)])
def test_growing_waits_are_spread(chance: float, wait: float) -> None:
    """Half more or less, so that those who failed together don't come back together."""
    assert repeats(exponential=True, chance=chance).wait(FAILED) == pytest.approx(wait, abs=1e-5)


def test_growing_waits_end_after_a_quarter_of_an_hour() -> None:
    """The whole of an exponential policy lasts 15 minutes at most."""
    clock = Clock()
    one = repeats(clock, exponential=True)
    clock.now = 899.0
    assert one.wait(FAILED) == 0.5
    assert one.wait(FAILED) == 0.75
    assert one.wait(FAILED) is None


@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("most", [0, 1, 3])
def test_no_more_repeats_than_maxretries(most: int, exponential: bool) -> None:
    """The number maxRetries counts the repeats, not the first call."""
    found = waits(repeats(exponential=exponential, max_retries=most), most=5)
    assert [wait is not None for wait in found] == [True] * most + [False] * (5 - most)


ASKED = [
    ({}, 3.0, 5.0),
    ({}, 30.0, 30.0),
    ({}, 60.0, 60.0),
    ({}, 61.0, None),
    ({"duration": 120.0}, 90.0, 120.0),
    ({"exponential": True}, 0.1, 0.5),
    ({"exponential": True, "max_interval": 10.0}, 9.0, 9.0),
    ({"exponential": True, "max_interval": 10.0}, 11.0, None),
]


@pytest.mark.parametrize(("policy", "asked", "wait"), ASKED)
def test_a_wait_that_the_provider_asks_for_is_kept(policy: dict[str, Any], asked: float, wait: float | None) -> None:
    """Retry-After replaces a shorter wait; one above maxInterval ends the request with the provider's error."""
    assert repeats(**policy).wait(ProviderError("busy", status=429, retry_after=asked)) == wait


WITHOUT_MATCHING = [
    *[(ProviderError("no", status=status), False, False) for status in (400, 401, 403, 404, 422)],
    *[(ProviderError("no", status=status), True, True) for status in (402, 408, 409, 413, 429, 500, 502, 503, 529)],
    (ProviderError("nonsense"), True, True),
    (ProviderUnreachable("refused"), True, True),
    (ProviderTimeout("late"), True, True),
    (InvokeError("ended early"), True, True),
    (Overloaded("busy"), True, False),
    (BreakerOpen("open"), False, False),
    (ScrubberMissing("none"), False, False),
    (InvalidParameters("wrong"), False, False),
]


@pytest.mark.parametrize(("error", "repeated", "counted"), WITHOUT_MATCHING, ids=repr)
def test_what_is_repeated_and_what_counts_in_a_breaker(error: RequestError, repeated: bool, counted: bool) -> None:
    """What a provider rejects as wrong isn't repeated and isn't the provider's failure; what may pass is."""
    assert (repeats().wait(error) is not None) is repeated
    assert (judge(error) is Verdict.FAILURE) is counted


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (ProviderError("no", status=429), True),
        (ProviderError("no", status=400), True),
        (ProviderError("no", status=500), False),
        (ProviderError("nonsense"), True),
        (ProviderTimeout("late"), True),
        (InvalidParameters("wrong"), False),
        (ScrubberMissing("none"), False),
        (BreakerOpen("open"), False),
    ],
    ids=repr,
)
def test_matching_decides_where_the_provider_gave_a_status(error: RequestError, repeated: bool) -> None:
    """The list names the statuses to repeat, in both directions; what has no status is as without it."""
    assert (repeats(statuses=frozenset({400, 429})).wait(error) is not None) is repeated


def test_the_log_has_the_first_failure_and_the_recovery(caplog: pytest.LogCaptureFixture) -> None:
    """Two lines per request, as daprd writes them, with the error's kind and status and without its text."""
    one = repeats(max_retries=5)
    with caplog.at_level(logging.INFO, "jackfield.resilience"):
        waits(one, ProviderError("my words", status=503), most=2)
        one.succeeded()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Error processing operation component[llm] output. Retrying in 5s…"),
        ("INFO", "Recovered processing operation component[llm] output after 3 attempts"),
    ]
    assert vars(caplog.records[0]).items() >= {"policy": "slow", "error": "ProviderError", "status": 503}.items()
    assert not any("my words" in str(vars(record)) for record in caplog.records)


def test_the_log_is_silent_about_a_call_that_succeeds_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing has been recovered then."""
    with caplog.at_level(logging.INFO, "jackfield.resilience"):
        repeats().succeeded()
    assert not caplog.records
