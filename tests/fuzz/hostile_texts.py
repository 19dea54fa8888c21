"""Texts for the scrubber: what personal data looks like and nearly looks like, in every length and every cut."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from hypothesis import strategies as st
from nasty import texts
from searching import Growth, Property

from jackfield import Build
from jackfield.builtin.scrub.spans import masked, settled
from jackfield_presidio.component import PresidioScrubber
from jackfield_presidio.settings import ENTITIES, PresidioSettings

__all__ = ["target"]

PERSONAL = (
    "jane.doe@example.com",
    "415-555-2671",
    "+49 30 901820",
    "(415) 555-2671 ext. 12",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "123-45-6789",
    "10.1.2.3",
    "2001:db8::ff00:42:8329",
    "::1",
    "00:1b:63:84:45:e6",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "978-3-16-148410-0",
    "12 Main Street, Apt. 4",
    "P.O. Box 1234",
    "sk-abcdefghijklmnopqrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "https://user:pass@example.com/a/b?c=d#e",
)
NEARLY = (
    "DE88 3704 0044 0532 0130 00",
    "4111 1111 1111 1112",
    "jane.doe@example",
    "@example.com",
    "a@b.",
    "999.999.999.999",
    "1.2.3.4.5.6",
    "2001:db8:::1",
    "12:34:56",
    "000-00-0000",
    "sk-",
    "eyJ",
    "P.O.",
    "123 ",
    "+",
    "(((",
    ")",
    "--",
    "..",
    "::",
    "@@",
    "//",
    "#",
    "\u2010",
    "\u00a0",
    "\u200b",
    "\uff11\uff12\uff13",
    "\u0661\u0662",
    "e\u0301",
    "\u2028",
    "\n",
    "\\n",
    "\\u0040",
    "%40",
    "&#64;",
)
_TELLING = re.compile(r"[0-9]{4,}|[a-z]+@[a-z]+|[A-Za-z0-9_-]{20,}")
LETTERS = "abcdefg hijklm nopq rstuvw xyz ABC,.;!?\n\u00e4\u00f6\u00fc\u00df\u4e2d\u6587\U0001f600"


class Scrubbing:
    """A scrubber, and what is asked of it.

    Args:
        scrubber: has been started.
    """

    def __init__(self, scrubber: PresidioScrubber) -> None:
        self._scrubber = scrubber

    def whole(self, text: str) -> str:
        """Scrub a text that is there to its end, as the host's stage does; checks that the spans can be used."""
        spans = self._scrubber.find(text)
        for span in spans:
            assert 0 <= span.start < span.end <= len(text), span
            assert span.entity
        (result,) = masked([text], settled(spans, len(text)))
        return result

    def streamed(self, pieces: Sequence[str]) -> str:
        """Scrub a text that comes in pieces."""
        stream = self._scrubber.stream()
        assert stream is not None
        given = [stream.feed(piece)[0] for piece in pieces]
        return "".join([*given, stream.end()[0]])

    def cut_anywhere(self, example: tuple[str, list[int]]) -> str:
        """A text that comes in pieces is scrubbed as the whole is."""
        text, places = example
        ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
        pieces = [text[start:end] for start, end in pairwise(ends)]
        whole = self.whole(text)
        assert self.streamed(pieces) == whole
        return "masked" if whole != text else "left"

    def innocent(self, text: str) -> str:
        """A text without digits or signs that personal data is written with is left as it is."""
        assert self.whole(text) == text
        return "left"

    def personal(self, example: tuple[str, str, str]) -> str:
        """What is personal is not to be read in what comes out, whatever words stand around it."""
        before, found, after = example
        result = self.whole(f"{before} {found} {after}")
        # A word behind a number may make an address of both, so that more is masked than the number.
        assert result.startswith(before[: before.rfind(" ")])
        for telling in _TELLING.findall(found):
            assert telling not in result, result
        return found


def _repeated(text: str) -> Callable[[int], str]:
    return lambda size: (text * (size // len(text) + 1))[:size]


def _started(**settings: object) -> PresidioScrubber:
    decoded = PresidioSettings.model_validate(settings)
    scrubber = PresidioScrubber(Build("scrubber", "scrubber.presidio", decoded))
    asyncio.run(scrubber.start())
    return scrubber


SHAPES = {
    "digits": "7",
    "digits and blanks": "4111 1111 ",
    "at signs": "@",
    "a@": "a@",
    "addresses that never end": "a.b-c_d",
    "dots": ".",
    "1.1.": "1.1.",
    "dashes": "-",
    "12-": "12-",
    "(((": "(",
    "plus signs": "+",
    "colons": ":",
    "f:f:": "f:f:",
    "nearly IBANs": "DE88 3704 0044 0532 0130 00 ",
    "nearly cards": "4111 1111 1111 1112 ",
    "nearly keys": "sk-",
    "eyJ": "eyJ.",
    "0x": "0x",
    "1 Main ": "1 Main ",
    "P.O. Box": "P.O. Box ",
    "http://": "http://",
    "links": "https://a.example/b?c=1&d=2 ",
    "blanks": " ",
    "line ends": "\n",
    "escapes": "\\u0040",
    "entities": "&#64;",
    "full-width digits": "\uff11",
    "combining marks": "e\u0301",
    "zero width": "1\u200b",
    "surrogate half as text": "\\ud83d",
}


@contextmanager
def target() -> Iterator[list[Property | Growth]]:
    """Give the properties of the scrubber, with default settings and with an operator's own pattern."""
    scrubber = _started()
    masking = _started(operators={entity: {"type": "mask", "keep_last": 2} for entity in ENTITIES})
    default, masks = Scrubbing(scrubber), Scrubbing(masking)
    piece = st.sampled_from(PERSONAL + NEARLY) | texts(12)
    joined = st.lists(st.tuples(piece, st.sampled_from(["", " ", "  ", ", ", "\n", ":", "-"])), max_size=14)
    text = joined.map(lambda found: "".join(word + gap for word, gap in found)) | texts(600)
    word = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=3, max_size=9)
    words = st.lists(word, min_size=2, max_size=4).map(" ".join)
    places = st.lists(st.integers(0, 2000), max_size=12)
    yield [
        Property("any text, cut anywhere", st.tuples(text, places), default.cut_anywhere, few=40),
        Property("any text, masked by signs", st.tuples(text, places), masks.cut_anywhere),
        Property("text without personal data", st.text(st.sampled_from(LETTERS), max_size=300), default.innocent),
        Property("personal data among words", st.tuples(words, st.sampled_from(PERSONAL), words), default.personal),
        *(Growth(f"growing: {name}", _repeated(one), default.whole, 32_768) for name, one in SHAPES.items()),
        *(
            Growth(
                f"growing, by pieces of 7: {name}", _repeated(one), lambda text: default.streamed(_sevens(text)), 8_192
            )
            for name, one in SHAPES.items()
        ),
        *(
            Growth(f"1 MB: {name}", _repeated(one), default.whole, 1 << 18, patience=20)
            for name, one in SHAPES.items()
            if name in {"digits", "a@", "(((", "nearly IBANs", "links", "1 Main "}
        ),
    ]
    for one in (scrubber, masking):
        asyncio.run(one.close())


def _sevens(text: str) -> list[str]:
    return [text[start : start + 7] for start in range(0, len(text), 7)]
