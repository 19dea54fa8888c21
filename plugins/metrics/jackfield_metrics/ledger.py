"""The ledger: one process's numbers, in one row of doubles that may lie in a file.

Counting is an addition to a number whose place is known: nothing is formatted, locked or sent while a request runs. A
file that is mapped into memory is current at any moment, also when the process is killed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias

from jackfield_metrics.families import FAMILIES, Family

__all__ = ["SLOTS", "Ledger", "Series", "Storage", "numbers_of"]

SLOTS: Final = 128 * 1024
"""Numbers in a ledger: one MiB. A component takes about 150."""

_NOWHERE: Final = 0
_RESERVED: Final = 64
"""Numbers at the front, as many as the widest series has at least: what finds no room is counted there, unseen."""

Series: TypeAlias = tuple[str, tuple[str, ...]]
"""A metric's name and the values of its labels."""


class Storage(Protocol):
    """Where a ledger lies."""

    @property
    def values(self) -> memoryview[float]:
        """The numbers, ``SLOTS`` doubles."""

    @property
    def known(self) -> Mapping[Series, int]:
        """The series that it had when it was opened, with their places."""

    def note(self, series: Series, place: int) -> None:
        """Keep the place of a new series."""


class Memory:
    """Numbers of a process that has no peers."""

    def __init__(self) -> None:
        self.values = memoryview(bytearray(8 * SLOTS)).cast("d")
        self.known: Mapping[Series, int] = {}

    def note(self, series: Series, place: int) -> None:
        """Nobody else reads them."""


def numbers_of(values: memoryview[float], places: Mapping[Series, int]) -> dict[Series, list[float]]:
    """Copy the numbers of all series out of a ledger."""
    return {series: list(values[place : place + FAMILIES[series[0]].width]) for series, place in places.items()}


class Ledger:
    """Numbers by series.

    Args:
        storage: where they lie; in memory by default. What is there already is gone on with, gauges apart: they told of
            a process that has ended.
    """

    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage or Memory()
        self.values = self._storage.values
        self._places = dict(self._storage.known)
        self._end = _RESERVED
        for (name, _), place in self._places.items():
            family = FAMILIES[name]
            self._end = max(self._end, place + family.width)
            if family.kind == "gauge":
                self.values[place] = 0
        self._dropped = self._place(("jackfield_series_dropped_total", ()), 1)

    def place(self, family: Family, *labels: str) -> int:
        """Return where the numbers of a series begin, and make room for a new one.

        Args:
            family: the metric.
            labels: its labels' values.
        """
        series = (family.name, labels)
        return self._places.get(series) or self._place(series, family.width)

    def series(self) -> dict[Series, list[float]]:
        """Return all numbers as they are now. It may be called in another thread."""
        return numbers_of(self.values, dict(self._places))

    def add(self, other: Mapping[Series, list[float]]) -> None:
        """Take over what has been counted elsewhere."""
        for (name, labels), numbers in other.items():
            family = FAMILIES[name]
            place = self.place(family, *labels)
            for offset, number in enumerate(numbers):
                self.values[place + offset] = number + (0 if family.kind == "gauge" else self.values[place + offset])

    def _place(self, series: Series, width: int) -> int:
        place = self._places.get(series)
        if place is not None:
            return place
        if self._end + width > SLOTS:
            self.values[self._dropped] += 1
            return _NOWHERE
        place = self._end
        for offset in range(width):
            self.values[place + offset] = 0  # an older version of this code may have counted something else there
        self._storage.note(series, place)
        self._places[series], self._end = place, place + width
        return place
