"""What was found, and what is replaced in the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Finding", "settle"]


class Finding(NamedTuple):
    """A piece of a text that a recogniser knows: ``text[start:end]`` is an ``entity`` as sure as ``score`` (0 to 1)."""

    start: int
    end: int
    entity: str
    score: float


def settle(findings: Iterable[Finding], priority: tuple[str, ...]) -> list[Finding]:
    """Return findings that don't overlap and cover all that was found, from left to right.

    Findings that overlap become one, named after the longest of them; among equals after the one named earlier in
    ``priority``. So nothing of a found entity stays visible.
    """
    rank = {entity: place for place, entity in enumerate(priority)}
    settled: list[Finding] = []
    best = None
    for finding in sorted(findings):
        if not settled or finding.start >= settled[-1].end:
            best = finding
            settled.append(finding)
            continue
        best = min(best or finding, finding, key=lambda f: (f.start - f.end, rank.get(f.entity, len(rank)), f))
        last = settled[-1]
        settled[-1] = best._replace(start=last.start, end=max(last.end, finding.end))
    return settled
