"""From what a scrubber found to a text that doesn't show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from jackfield import Span

__all__ = ["masked", "settled"]


def settled(spans: Iterable[Span], length: int) -> list[Span]:
    """Put spans in order, without overlaps, inside a text of ``length`` characters.

    Spans that overlap become one, called what the earliest of them is called, or the longest of those that begin
    together. Those that only touch stay apart. What lies outside the text, or is empty, is left out.
    """
    inside = [
        span
        if span.start >= 0 and span.end <= length
        else replace(span, start=max(span.start, 0), end=min(span.end, length))
        for span in spans
    ]
    found: list[Span] = []
    for span in sorted((span for span in inside if span.start < span.end), key=lambda span: (span.start, -span.end)):
        if found and span.start < found[-1].end:
            if span.end > found[-1].end:
                found[-1] = replace(found[-1], end=span.end)
        else:
            found.append(span)
    return found


def masked(pieces: Sequence[str], spans: Sequence[Span]) -> list[str]:
    """Replace spans in a text that is cut into pieces.

    Args:
        pieces: the text; a label goes to the piece in which its span begins.
        spans: as ``settled`` gives them, counted over all pieces.
    """
    results: list[str] = []
    begin = number = 0
    for piece in pieces:
        end, at = begin + len(piece), begin
        made: list[str] = []
        while number < len(spans) and spans[number].start < end:
            span = spans[number]
            if span.start >= begin:
                made += (piece[at - begin : span.start - begin], span.label)
            at = min(span.end, end)
            if span.end > end:
                break
            number += 1
        made.append(piece[at - begin :])
        results.append("".join(made))
        begin = end
    return results
