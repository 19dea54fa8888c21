"""What a recogniser of this plugin is made from: a plain function that finds one kind of entity in folded text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

__all__ = ["Finder", "Found", "by_shape"]

Found: TypeAlias = Iterator[tuple[int, int, float]]
"""Places and scores: where it begins, where it ends, how sure (0 to 1)."""
Finder: TypeAlias = Callable[[str], Found]


def by_shape(*shapes: tuple[str, float] | tuple[str, float, Callable[[str], bool]]) -> Finder:
    """Return a finder of what matches a pattern.

    Args:
        shapes: patterns, each with its score and, where the shape isn't enough, a check of the matched text. What a
            pattern's only group holds is what is found, if it has one.
    """
    compiled = [(re.compile(shape[0]), shape[1], shape[2] if len(shape) == 3 else None) for shape in shapes]

    def find(text: str) -> Found:
        for pattern, score, check in compiled:
            for match in pattern.finditer(text):
                group = 1 if pattern.groups else 0
                if check is None or check(match[group]):
                    yield match.start(group), match.end(group), score

    return find
