"""Lists of HTTP statuses as ``matching.httpStatusCodes`` writes them."""

from __future__ import annotations

import re

__all__ = ["parse_statuses"]

_PART = re.compile(r"(\d{3})(?:\s*-\s*(\d{3}))?", re.ASCII)


def parse_statuses(text: str) -> frozenset[int]:
    """Read a list such as ``429,500-599``.

    Raises:
        ValueError: a part is neither a status from 100 to 599 nor a range of them; the message names it.
    """
    statuses: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()[:40]!r} is neither a status nor a range of statuses")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 100 <= first <= last <= 599:
            raise ValueError(f"{part.strip()!r} is not within 100 to 599, the lower one first")
        statuses.update(range(first, last + 1))
    return frozenset(statuses)
