"""The small parts that the scrubber is put together from."""

from __future__ import annotations

import pytest

from jackfield_presidio.chains import WORD, Chain
from jackfield_presidio.folding import fold
from jackfield_presidio.spans import Finding, settle


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("a\\nb", "a\n\nb"),
        ("\\u00e9x", "\n\n\n\n\n\nx"),
        ("\\\\n", "\n\nn"),
        ("https:\\/\\/x", "https:////x"),
        ("a\\_b", "a__b"),
        ("\\d+", "\\d+"),
        ("４１５‑٢\u00a0", "415-2 "),
        ("—", "—"),
        ("\x00\x01\x02", "\n\n\n"),
    ],
)
def test_folding_keeps_the_length(text: str, folded: str) -> None:
    """A folded text is as long as the text, escapes end words, and digits, blanks and hyphens have one spelling."""
    assert fold(text, final=True) == folded
    assert len(folded) == len(text)


@pytest.mark.parametrize("part", ["\\", "\\u", "\\u0", "\\u00e", "\\\\\\"])
def test_an_unfinished_escape_is_kept(part: str) -> None:
    """What may be the begin of an escape waits for the rest, unless there is none."""
    assert len(fold(f"a{part}", final=False)) < len(part) + 1
    assert len(fold(f"a{part}", final=True)) == len(part) + 1


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("415 555 2671 and", 3),
        ("GB29 NWBK 6016 then", 3),
        ("GB29 then", 1),
        ("2025 we used", 1),
        ("123 North Main Street the", 4),
        ("P.O. Box 12 and", 3),
        ("Post a", 1),
        ("415-555-2671 ext. 5 and", 3),
        ("123 5th Avenue in", 3),
        ("(415) 555-2671 20 more", 3),
    ],
)
def test_chains(words: str, length: int) -> None:
    """A chain holds the words that one entity may be written with, and ends at the first that can't belong to it."""
    first, *others = words.split(" ")
    assert WORD.fullmatch(first)
    chain = Chain(first)
    taken = 1
    for word in others:
        if not chain.add(" ", word):
            break
        taken += 1
    assert taken == length


@pytest.mark.parametrize(
    ("findings", "settled"),
    [
        ([(0, 5, "A"), (5, 9, "B")], [(0, 5, "A"), (5, 9, "B")]),
        ([(0, 5, "A"), (2, 4, "B")], [(0, 5, "A")]),
        ([(0, 4, "A"), (2, 9, "B")], [(0, 9, "B")]),
        ([(0, 4, "B"), (0, 4, "A")], [(0, 4, "A")]),
        ([(0, 4, "Z"), (0, 4, "B")], [(0, 4, "B")]),
        ([(0, 3, "A"), (2, 6, "B"), (5, 7, "C"), (8, 9, "A")], [(0, 7, "B"), (8, 9, "A")]),
        ([], []),
    ],
)
def test_settling(findings: list[tuple[int, int, str]], settled: list[tuple[int, int, str]]) -> None:
    """Findings that overlap become one that covers them all, named after the longest, then after the first in order."""
    for order in (findings, findings[::-1]):
        given = settle([Finding(*finding, 0.5) for finding in order], ("A", "B", "C"))
        assert [(f.start, f.end, f.entity) for f in given] == settled
