"""What a torture suite reports: figures that hold, or the first promise that doesn't."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BrokenPromiseError", "Figure", "table"]


class BrokenPromiseError(AssertionError):
    """The host didn't keep what it promises; the text says what happened, and when."""


@dataclass(frozen=True)
class Figure:
    """One line of a suite's report.

    Attributes:
        text: what was counted or measured.
        value: the figure, with its unit.
        limit: what it may be, as the page has it; empty for a count.
    """

    text: str
    value: str
    limit: str = ""


def table(figures: list[Figure]) -> str:
    """Lay figures out in columns."""
    wide = max(len(figure.text) for figure in figures)
    long = max(len(figure.value) for figure in figures)
    return "".join(
        f"{figure.text:<{wide}}  {figure.value:>{long}}{f'  ({figure.limit})' if figure.limit else ''}\n"
        for figure in figures
    )
