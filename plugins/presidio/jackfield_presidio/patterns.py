"""The boundary to the ``regex`` package, whose patterns can be given a time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Protocol

__all__ = ["Matched", "checked_pattern", "limited"]


class Matched(Protocol):
    """What is used of a match."""

    def start(self) -> int:
        """Return where it begins."""

    def end(self) -> int:
        """Return where it ends."""


def checked_pattern(pattern: str) -> str:
    """Return a pattern that can be searched for.

    Raises:
        ValueError: it is no pattern, or it matches the empty text.
    """
    regex = import_module("regex")
    try:
        compiled = regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"it is no regular expression: {error}; write it in the regex package's syntax") from None
    if compiled.match("", timeout=1) is not None:
        raise ValueError("it matches the empty text; make it match at least one character")
    return pattern


def limited(pattern: str, seconds: float) -> Callable[[str], Iterator[Matched]]:
    """Return the search for a pattern; it raises ``TimeoutError`` past the limit, and lets other threads run."""
    compiled = import_module("regex").compile(pattern)

    def search(text: str) -> Iterator[Matched]:
        yield from compiled.finditer(text, timeout=seconds, concurrent=True)

    return search
