"""Reading what a sampling profiler has seen: which part of the process each sample belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

__all__ = ["LOOP", "OTHER", "PARTS", "part_of", "shares"]

LOOP = "event loop and sockets"
OTHER = "everything else"
PARTS = (
    ("jackfield: http", r"jackfield/(http|frontends|headers|overrides)\b"),
    ("jackfield: chain", r"jackfield/(chain|resilience|catalog|messages|events)\b"),
    ("jackfield: cache", r"jackfield/(builtin/cache|stores|builtin/memory)\b"),
    ("jackfield: upstream", r"jackfield/upstream\b"),
    ("jackfield: provider plugin", r"(jackfield_\w+)\b"),
    ("jackfield: the rest", r"jackfield/"),
    ("hypercorn", r"hypercorn/"),
    ("h11", r"h11/"),
    ("uvicorn", r"uvicorn/"),
    ("aiohttp", r"(aiohttp|yarl|multidict|frozenlist|propcache|aiosignal)/"),
    # The loop itself is C: its time, and the kernel's for reading and polling, shows at the frame that runs it.
    (LOOP, r"asyncio/(runners|base_events|events)\.py"),
    ("asyncio", r"asyncio/"),
)
"""The parts, and the files that are theirs; the first that applies."""

_SERVES = re.compile(r"jackfield/serving/worker\.py|tests/bench/bare\.py")
_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)$")
_PATTERNS = tuple((part, re.compile(pattern)) for part, pattern in PARTS)


def part_of(stack: str) -> str:
    """Name the part that a sample's time was spent in: that of the innermost frame whose file belongs to one.

    So the standard library's time is the caller's, and that of C code is that of the frame that called it.

    Args:
        stack: the frames from the outermost to the innermost, separated by semicolons, each ``function (file:line)``.
    """
    for frame in reversed(stack.split(";")):
        found = _FRAME.match(frame)
        file = found["file"] if found else ""
        for part, pattern in _PATTERNS:
            if pattern.search(file):
                return part
    return OTHER


def shares(folded: Iterable[str]) -> dict[str, float]:
    """Sum up the samples of the thread that serves.

    Args:
        folded: lines of a stack and its count, as ``py-spy record --format raw`` writes them.

    Returns:
        The share of each part that was seen, the largest first; they sum to 1.

    Raises:
        ValueError: no sample is of the thread that serves.
    """
    counts: Counter[str] = Counter()
    for stack, count in _read(folded):
        if _SERVES.search(stack):
            counts[part_of(stack)] += count
    whole = counts.total()
    if not whole:
        raise ValueError("no sample of the thread that serves: was there any load while it was sampled?")
    return {part: count / whole for part, count in counts.most_common()}


def _read(folded: Iterable[str]) -> Iterator[tuple[str, int]]:
    for line in folded:
        stack, _, count = line.strip().rpartition(" ")
        if stack:
            yield stack, int(count)
