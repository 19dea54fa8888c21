"""Scrubs a text while it is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jackfield import Span
from jackfield_presidio.scanner import Scanner, Search
from jackfield_presidio.spans import Finding

__all__ = ["PresidioStream", "ToSpan"]

ToSpan = Callable[[Finding, str], Span]
"""Makes a span of a finding and its text."""


class PresidioStream:
    """A text in pieces: what ``feed`` and ``end`` give is, put together, the scrubbed whole.

    The spans' places count from the start of the whole text. A token that is longer than a window has several, the
    first with the label and the others with nothing in their place.
    """

    def __init__(self, search: Search, to_span: ToSpan) -> None:
        self._scanner = Scanner(search)
        self._to_span = to_span
        self._held = ""
        self._start = 0
        self._entity = ""

    def feed(self, text: str) -> tuple[str, Sequence[Span]]:
        """Take the next piece; give what is settled by now, scrubbed, and the spans that were replaced in it."""
        return self._take(text, final=False)

    def end(self) -> tuple[str, Sequence[Span]]:
        """Give the rest."""
        return self._take("", final=True)

    def _take(self, text: str, *, final: bool) -> tuple[str, Sequence[Span]]:
        self._held += text
        written: list[str] = []
        spans: list[Span] = []
        place = 0
        for finding in self._scanner.feed(text, final=final):
            start, end = finding.start - self._start, finding.end - self._start
            if finding.entity:
                self._entity = finding.entity
                span = self._to_span(finding, self._held[start:end])
            else:
                span = Span(finding.start, finding.end, self._entity, "")
            written += (self._held[place:start], span.label)
            spans.append(span)
            place = end
        settled = self._scanner.settled - self._start
        written.append(self._held[place:settled])
        self._held = self._held[settled:]
        self._start += settled
        return "".join(written), spans
