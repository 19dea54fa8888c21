"""Reads a text as it comes and gives what is found in it, the same for every way of cutting it into pieces.

The text is read as chains of words (``chains.py``). What is found in a chain depends on the chain and on what stands
before it, never on what was found elsewhere, and a chain ends where its own words say so. A chain or a word of more
than ``WINDOW`` characters is searched in windows of that size, which overlap; a window ends before the first finding
that may go on, so an entity of up to ``WINDOW - STEP`` characters is found wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from jackfield_presidio.chains import GAP, LONGEST_GAP, TRIGGER, WORD, Chain, word_start
from jackfield_presidio.contexts import CONTEXT, link_end, mark
from jackfield_presidio.folding import fold
from jackfield_presidio.spans import Finding

__all__ = ["STEP", "WINDOW", "Region", "Scanner", "Search"]

WINDOW = 250
"""Characters that any recogniser sees at once. With an unfinished escape, no more than 256 are held back."""
STEP = 186
"""Characters of a full window that are settled, unless a finding stands there."""

_TOKENS = frozenset({"API_KEY", "JWT", "EMAIL_ADDRESS"})
"""Entities that are replaced to their end, however far that is."""
_TOKEN_REST = re.compile(r"(?:[A-Za-z0-9_-]|\.{1,2}(?=[A-Za-z0-9_-]))*+")
_GAP_BEGIN = " ,/#"


class Region(str):
    """A piece of folded text to search, with its surroundings.

    Attributes:
        before: what stands before it: a mark, or the last characters of the word it is cut from.
        link: how many of its characters belong to the path of a link.
    """

    __slots__ = ("before", "link")
    before: str
    link: int

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Region:
        """Cut a region out of a folded text."""
        region = cls(text[start:end])
        context = text[max(0, start - CONTEXT) : start]
        region.before = mark(context, region)
        if not region.before and context and WORD.fullmatch(context[-1]):
            region.before = context[-2:]
        region.link = link_end(context, region)
        return region


Search = Callable[[Sequence[Region]], Sequence[Sequence[Finding]]]
"""Gives what is found in each region, settled, with places that count from the region's start."""


class Scanner:
    """Finds what must be replaced in a text that comes in pieces.

    Attributes:
        settled: characters of the text from its start for which everything is known.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._unfolded = ""
        self._text = ""
        self._offset = 0
        self._place = 0
        self._in_token = False
        self.settled = 0

    def feed(self, piece: str, *, final: bool = False) -> list[Finding]:
        """Take the next piece; return the findings that are settled by it, with places in the whole text."""
        self._unfolded += piece
        folded = fold(self._unfolded, final=final)
        self._unfolded = self._unfolded[len(folded) :]
        self._text += folded
        findings: list[Finding] = []
        waiting: list[tuple[int, Region]] = []
        whole = len(self._text) if final else word_start(self._text, len(self._text), self._place)
        while self._advance(findings, waiting, whole, final=final):
            pass
        if waiting:
            found = self._search([region for _, region in waiting])
            for (start, _), inside in zip(waiting, found, strict=True):
                findings += (_moved(finding, start) for finding in inside)
        self.settled = self._offset + self._place
        if (spare := self._place - CONTEXT) > 0:
            self._text = self._text[spare:]
            self._offset += spare
            self._place -= spare
        findings.sort()
        return findings

    def _advance(self, findings: list[Finding], waiting: list[tuple[int, Region]], whole: int, *, final: bool) -> bool:
        """Settle the text up to the end of the next chain or window; False if more text is needed for that.

        The words before the place ``whole`` are complete.
        """
        text = self._text
        if self._in_token and not self._skip_token(findings, final=final):
            return False
        whole = max(whole, self._place)
        trigger = TRIGGER.search(text, self._place, whole)
        if trigger is not None:
            start = word_start(text, trigger.start(), self._place)
        elif len(text) - whole >= WINDOW:
            start = whole
        else:
            self._place = whole
            return False
        end = self._chain_end(start, final=final)
        self._place = start
        if end is None:
            return False
        if end < start + WINDOW:
            waiting.append((self._offset + start, Region.of(text, start, end)))
            self._place = end
        else:
            self._search_window(start, findings)
        return True

    def _chain_end(self, start: int, *, final: bool) -> int | None:
        """Return where the chain ends that begins at ``start``, ``start + WINDOW`` if it is longer, None if unknown."""
        text, length, limit = self._text, len(self._text), start + WINDOW
        end = _word_end(text, start, limit)
        if end == limit:
            return limit
        if end == length and not final:
            return None
        chain = Chain(text[start:end])
        while True:
            if end < length and text[end] in _GAP_BEGIN:
                if limit - end <= LONGEST_GAP and length >= limit:
                    return limit
                if length - end <= LONGEST_GAP and not final:
                    return None
            gap = GAP.match(text, end)
            assert gap is not None  # noqa: S101 - the pattern matches any text
            following = _word_end(text, gap.end(), limit)
            if following >= limit:
                return limit
            if following == length and not final:
                return None
            if not chain.add(gap[0], text[gap.end() : following]):
                return end
            end = following

    def _search_window(self, start: int, findings: list[Finding]) -> None:
        """Search a full window, and settle the part of it in which nothing is open."""
        text = self._text
        end = start + WINDOW
        region = Region.of(text, start, end)
        inside = self._search([region])[0] if TRIGGER.search(text, start, end) else ()
        cut = STEP
        blank = max(region.rfind(" ", WINDOW // 4, STEP), region.rfind(",", WINDOW // 4, STEP))
        if blank > 0:
            cut = blank + 1
        for finding in inside:
            if finding.start < cut < finding.end:
                cut = finding.start or finding.end
                break
        findings += (_moved(f, self._offset + start) for f in inside if f.end <= cut)
        self._place = start + cut
        self._in_token = cut == WINDOW and inside[-1].entity in _TOKENS

    def _skip_token(self, findings: list[Finding], *, final: bool) -> bool:
        """Pass over the rest of a token whose label is out; False if it may go on in the next piece."""
        rest = _TOKEN_REST.match(self._text, self._place)
        assert rest is not None  # noqa: S101 - the pattern matches any text
        if rest.end() > self._place:
            findings.append(Finding(self._offset + self._place, self._offset + rest.end(), "", 1.0))
        self._place = rest.end()
        following = self._text[rest.end() :]
        if not final and len(following) < 3 and not following.strip("."):
            return False
        self._in_token = False
        return True


def _word_end(text: str, start: int, limit: int) -> int:
    match = WORD.match(text, start, limit)
    return start if match is None else match.end()


def _moved(finding: Finding, by: int) -> Finding:
    return finding._replace(start=finding.start + by, end=finding.end + by)
