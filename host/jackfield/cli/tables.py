"""Tables of text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns with spaces.

    Args:
        rows: the head first. A column that is empty in every row but the head is left out; an empty cell becomes a
            ``-``, but for the last column's.
    """
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for *cells, last in zip(*columns, strict=True):
        filled = [(cell or "-").ljust(width) for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*filled, last]).rstrip())
    return lines
