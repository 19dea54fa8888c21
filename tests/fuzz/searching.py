"""Properties that have to hold for whatever comes in, and the search for an example that breaks one."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from figures import BrokenPromiseError, Figure
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from repeatable import repeatable

__all__ = ["Growth", "Property", "Search", "Tally", "Target"]

ROUND = 50
"""Examples of one round of Hypothesis in a search by time."""

FEW = 25
"""Examples of a property in the short form."""


@dataclass(frozen=True)
class Property:
    """What has to hold for every example.

    Attributes:
        name: what comes in, in words.
        examples: draws one.
        check: raises for an example that breaks the property; returns in a word or two what came of it. A refusal
            ``without a reason`` breaks every property.
        patience: seconds of this thread's CPU, or of the clock where ``waits``, that one example may take.
        waits: the work is done by another thread or process, so that the clock is looked at.
        few: examples in the short form.
    """

    name: str
    examples: SearchStrategy[Any]
    check: Callable[[Any], str]
    patience: float = 1.0
    waits: bool = False
    few: int = FEW


@dataclass(frozen=True)
class Growth:
    """Work whose time may grow with the size of what comes in, and not faster.

    Attributes:
        name: what comes in, in words.
        make: makes an input of a size.
        work: what is done with it.
        size: the smallest size; it is done with two and four times as much too, and in the short form with an eighth.
        patience: seconds of CPU that the largest may take.
    """

    name: str
    make: Callable[[int], Any]
    work: Callable[[Any], object]
    size: int
    patience: float = 5.0


Target: TypeAlias = Callable[[], AbstractContextManager[list[Property | Growth]]]


@dataclass
class Tally:
    """What the examples of one property came to."""

    name: str
    examples: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    grown: bool = False

    @property
    def told(self) -> str:
        """What became of the examples, the most frequent first."""
        kinds = ", ".join(f"{kind}: {count:,}" for kind, count in self.outcomes.most_common(12))
        return f"slowest {self.slowest * 1000:,.0f} ms; {kinds}"

    @property
    def figure(self) -> Figure:
        """The line of a report."""
        value = f"{self.examples:>7,} examples {len(self.outcomes):>3} outcomes {self.slowest * 1000:>6,.0f} ms slowest"
        return Figure(self.name, f"{value} {self.seconds:>5,.0f} s")


@dataclass(frozen=True)
class Search:
    """How to look for examples.

    Attributes:
        seconds: for how long, for each property; None for the short form, whose examples are always the same.
        seed: what they are drawn from.
    """

    seconds: float | None = None
    seed: int = 0

    def through(self, target: Target) -> list[Tally]:
        """Look at all properties of a target.

        Raises:
            BrokenPromiseError: one or more don't hold.
        """
        tallies, broken = [], []
        with target() as properties:
            for one in properties:
                try:
                    tallies.append(self._grown(one) if isinstance(one, Growth) else self._searched(one))
                except BrokenPromiseError as error:
                    broken.append(str(error))
                    self._tell(f"BROKEN {error}")
                else:
                    self._tell(f"{tallies[-1].name}: {tallies[-1].told}")
        if broken:
            raise BrokenPromiseError("\n".join(broken))
        return tallies

    def _tell(self, text: str) -> None:
        if self.seconds is not None:
            sys.stderr.write(f"{text}\n")

    def _searched(self, wanted: Property) -> Tally:
        tally = Tally(wanted.name)
        began = time.monotonic()
        number = 0
        while number == 0 or (self.seconds is not None and time.monotonic() - began < self.seconds):
            with _watched(wanted, tally) as check, nullcontext() if self.seconds else repeatable():
                self._round(wanted, number, check)
            number += 1
        tally.seconds = time.monotonic() - began
        return tally

    def _round(self, wanted: Property, number: int, check: Callable[[Any], None]) -> None:
        short = self.seconds is None
        search = settings(
            max_examples=wanted.few if short else ROUND,
            deadline=None,
            database=None,
            derandomize=short,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        run = search(given(example=wanted.examples)(check))
        if not short:
            run = seed(self.seed * 1_000_003 + number)(run)
        run()

    def _grown(self, wanted: Growth) -> Tally:
        tally = Tally(wanted.name, grown=True)
        began = time.monotonic()
        size, tries = (wanted.size, _TRIES) if self.seconds else (wanted.size // 8, 1)
        try:
            taken = _taken(wanted, size, tries)
            if _steep(taken):  # once more: a machine that is busy may have held up one of the three
                taken = _taken(wanted, size, 2 * _TRIES)
        except Exception as error:
            raise BrokenPromiseError(f"{wanted.name}: {type(error).__name__}: {str(error)[:500]}") from error
        tally.examples, tally.slowest = len(taken), max(taken)
        tally.outcomes["grows with the size"] = len(taken)
        tally.seconds = time.monotonic() - began
        shown = ", ".join(f"{seconds * 1000:.1f} ms" for seconds in taken)
        if taken[2] > wanted.patience:
            raise BrokenPromiseError(f"{wanted.name}: {taken[2]:.1f} s for {4 * size} of it")
        if _steep(taken):
            raise BrokenPromiseError(f"{wanted.name}: time grows faster than size: {shown} for one, two and four times")
        return tally


_SHOWN = 4000
_STEEP = 9.0
_NOISE = 0.02
_TRIES = 3


def _taken(wanted: Growth, size: int, tries: int) -> list[float]:
    """Measure the CPU of one, two and four times a size."""
    return [_best(wanted, size * times, tries) for times in (1, 2, 4)]


def _steep(taken: list[float]) -> bool:
    """Four times as much takes four times as long; sixteen times is the square. A few milliseconds say nothing."""
    return taken[2] > _NOISE and taken[2] > _STEEP * max(taken[0], _NOISE / 4)


def _best(wanted: Growth, size: int, tries: int) -> float:
    given = wanted.make(size)
    times = []
    for _ in range(tries):
        began = time.thread_time()
        wanted.work(given)
        times.append(time.thread_time() - began)
        if times[-1] > wanted.patience:
            break
    return min(times)


@contextmanager
def _watched(wanted: Property, tally: Tally) -> Iterator[Callable[[Any], None]]:
    """Give a check that counts, and tell of what breaks the property together with its example."""
    clock = time.monotonic if wanted.waits else time.thread_time
    last: list[Any] = [None]

    def check(example: Any) -> None:
        last[0] = example
        began = clock()
        outcome = wanted.check(example)
        took = clock() - began
        assert "without a reason" not in outcome, outcome
        tally.examples += 1
        tally.outcomes[outcome] += 1
        tally.slowest = max(tally.slowest, took)
        assert took < wanted.patience, f"took {took:.1f} s"

    with ExitStack() as stack:
        stack.callback(sys.stdout.flush)
        try:
            yield check
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            text = f"{wanted.name}: {cause[:2000]}\n  for {repr(last[0])[:_SHOWN]}"
            raise BrokenPromiseError(text) from error
