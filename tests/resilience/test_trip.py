"""Trip expressions: compiled at load, checked as daprd's are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jackfield.resilience.trip import DEFAULT_TRIP, Counts, InvalidTrip, TripFailed, compile_trip

COUNTS = Counts(requests=10, total_successes=4, total_failures=6, consecutive_successes=0, consecutive_failures=6)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("consecutiveFailures > 5", True),
        ("consecutiveFailures > 6", False),
        ("requests >= 10 && totalFailures * 2 > requests", True),
        ("double(totalFailures) / double(requests) >= 0.7", False),
        ("requests > 20 ? true : totalSuccesses < 5", True),
        ("consecutiveSuccesses == 0", True),
        ("  totalFailures\n  > 5  ", True),
        ("true", True),
    ],
)
def test_an_expression_decides_by_the_counts(text: str, holds: bool) -> None:
    """All five variables can be used, with all of CEL's operators."""
    assert compile_trip(text).holds(COUNTS) is holds


def test_without_an_expression_six_failures_in_a_row_are_needed() -> None:
    """The default is daprd's."""
    assert [DEFAULT_TRIP.holds(Counts(consecutive_failures=count)) for count in (5, 6)] == [False, True]
    assert compile_trip(" consecutiveFailures > 5 ") is DEFAULT_TRIP


@pytest.mark.parametrize(
    ("text", "cause", "fix"),
    [
        ("consecutiveFailures >", "`consecutiveFailures >` can't be read: Syntax error", "write a condition such as"),
        ("failures > 3", "uses 'failures', which is not known there", "did you mean totalFailures?"),
        ("requests > 3 || nothing", "uses 'nothing', which is not known there", "there are requests, totalSuccesses"),
        ("requests + 1", "is no condition: its value is of type int, not bool", "write a condition such as"),
        ("requests > 100 ? 1 : 2", "is no condition: its value is of type int, not bool", "write a condition such as"),
        ("requests > 'a'", "can't be read: found no matching overload", "write a condition such as"),
        ("system('ls')", "uses 'system', which is not known there", "there are requests"),
        ("(" * 500 + "true" + ")" * 500, "can't be read: ", "write a condition such as"),
        ("x" * 200_000, "can't be read: ", "write a condition such as"),
    ],
)
def test_a_bad_expression_is_an_error_that_says_why(text: str, cause: str, fix: str) -> None:
    """Syntax, unknown names and types are checked when the manifest is read, in parts that are never reached too."""
    with pytest.raises(InvalidTrip) as raised:
        compile_trip(text)
    assert cause in raised.value.cause
    assert raised.value.fix.startswith(fix)
    assert len(raised.value.cause) < 400


def test_an_expression_may_have_no_value() -> None:
    """What fails for some counts is told apart from false."""
    with pytest.raises(TripFailed, match="divide by zero"):
        compile_trip("1 / consecutiveSuccesses > 1").holds(COUNTS)


def test_a_library_that_can_not_be_imported_is_an_error_of_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    """One expression is lost with a broken installation, and not the reading of manifests."""
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    with pytest.raises(InvalidTrip, match="cel-expr-python can't be imported"):
        compile_trip("requests > 1")
    assert compile_trip("consecutiveFailures > 5") is DEFAULT_TRIP


def test_the_library_is_imported_only_for_an_expression_of_ones_own() -> None:
    """A host without such an expression doesn't pay for it."""
    script = (
        "import sys; from jackfield.resilience.trip import compile_trip; compile_trip('consecutiveFailures > 5');"
        "assert not any(name.startswith('cel') for name in sys.modules); compile_trip('requests > 1');"
        "assert 'cel_expr_python.cel' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
