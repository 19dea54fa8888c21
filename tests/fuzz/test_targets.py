"""The short form of `nox -s fuzz`: each target with a few examples, which are the same in every run."""

from __future__ import annotations

import importlib
import logging
from contextlib import nullcontext

import pytest
from figures import BrokenPromiseError
from hypothesis import strategies as st
from searching import Growth, Property, Search
from targets import TARGETS


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "openapi"])  # tests/http/test_openapi.py has it
@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore:.*:hypothesis.errors.HypothesisWarning")
def test_whatever_comes_in_is_answered_or_refused(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """No example of a target breaks a promise, and none takes too long."""
    caplog.set_level(logging.CRITICAL)
    tallies = Search().through(importlib.import_module(TARGETS[name]).target)
    assert all(tally.examples for tally in tallies)


def searched(*properties: Property | Growth) -> list[str]:
    """Search some properties; returns the causes of those that don't hold."""
    with pytest.raises(BrokenPromiseError) as caught:
        Search().through(lambda: nullcontext(list(properties)))
    return str(caught.value).splitlines()


def test_an_example_that_breaks_a_promise_is_found_and_named() -> None:
    """A search that finds nothing would prove nothing: the smallest example is told with its cause."""

    def check(number: int) -> str:
        if number > 1000:
            raise LookupError("too large")
        return "small"

    assert searched(Property("numbers", st.integers(0, 10**6), check)) == [
        "numbers: LookupError: too large",
        "  for 1001",
    ]


def test_work_that_grows_too_fast_is_found() -> None:
    """The square of the size is told from the size itself."""

    def work(size: int) -> int:
        return sum(1 for _ in range(size * size))

    (found,) = searched(Growth("squares", lambda size: size, work, 6_400))
    assert found.startswith("squares: time grows faster than size")


def test_an_example_that_takes_too_long_is_found() -> None:
    """Each example has a limit of its own."""

    def spin(_: None) -> str:
        return str(sum(range(3_000_000)))[:0]

    assert "took" in searched(Property("slow", st.none(), spin, patience=0.001))[0]
