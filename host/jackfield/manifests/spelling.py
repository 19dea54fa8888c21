"""The nearest known name, for errors that offer one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.7) -> str:
    """Return the known name most like ``name``, compared in any case; empty if none is alike.

    Args:
        name: what was written.
        known: the names that exist.
        likeness: from 0 (anything) to 1 (the same); ``difflib``'s ratio.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else ""
