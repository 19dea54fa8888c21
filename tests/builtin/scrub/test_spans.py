"""What becomes of a text in which something was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import Span
from jackfield.builtin.scrub.spans import masked, settled

BOUNDS = st.lists(st.tuples(st.integers(-3, 25), st.integers(-3, 25)), max_size=6)
PIECES = st.lists(st.text("abcdefgh", max_size=6), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        ([], "0123456789"),
        ([Span(2, 4, "A")], "01<A>456789"),
        ([Span(4, 6, "B"), Span(2, 4, "A")], "01<A><B>6789"),
        ([Span(2, 5, "A"), Span(4, 7, "B")], "01<A>789"),
        ([Span(2, 4, "A"), Span(2, 7, "B")], "01<B>789"),
        ([Span(2, 8, "A"), Span(3, 4, "B")], "01<A>89"),
        ([Span(-5, 2, "A"), Span(8, 99, "B")], "<A>234567<B>"),
        ([Span(4, 4, "A"), Span(6, 2, "B"), Span(50, 60, "C")], "0123456789"),
        ([Span(0, 10, "A", "")], ""),
    ],
)
def test_spans_are_replaced(spans: list[Span], shown: str) -> None:
    """Spans may touch, overlap, lie outside and come in any order."""
    assert masked(["0123456789"], settled(spans, 10)) == [shown]


@given(PIECES, BOUNDS)
def test_nothing_found_stays_visible(pieces: list[str], bounds: list[tuple[int, int]]) -> None:
    """Exactly the characters in no span stay, each in its piece, wherever the pieces are cut."""
    text = "".join(pieces)
    spans = [Span(start, end, "X", "") for start, end in bounds]
    hidden = {place for start, end in bounds for place in range(max(start, 0), min(end, len(text)))}
    expected, begin = [], 0
    for piece in pieces:
        expected.append("".join(c for place, c in enumerate(piece, begin) if place not in hidden))
        begin += len(piece)
    assert masked(pieces, settled(spans, len(text))) == expected


@given(PIECES, BOUNDS)
def test_pieces_join_to_the_masked_whole(pieces: list[str], bounds: list[tuple[int, int]]) -> None:
    """A text in pieces shows, joined, what it shows as a whole: each label once."""
    text = "".join(pieces)
    spans = settled([Span(start, end, f"E{number}") for number, (start, end) in enumerate(bounds)], len(text))
    assert "".join(masked(pieces, spans)) == masked([text], spans)[0]
