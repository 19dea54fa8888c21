"""Server-sent events, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ProviderError
from jackfield.upstream.sse import EventParser


def parsed(*chunks: bytes) -> list[bytes]:
    """The data of every event in a stream that came in these chunks."""
    parser = EventParser()
    return [data for chunk in chunks for data in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [b"a", b"b"], id="two events"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], id="CRLF"),
        pytest.param(b"data: a\r\rdata: b\r\r", [b"a", b"b"], id="CR"),
        pytest.param(b"data:a\n\ndata:  b\n\n", [b"a", b" b"], id="one blank belongs to the field"),
        pytest.param(b"data: a\ndata: b\ndata\n\n", [b"a\nb\n"], id="several lines of data"),
        pytest.param(b": ping\n\n:\n\ndata: a\n\n", [b"a"], id="comments"),
        pytest.param(b"event: error\nid: 1\nretry: 5\ndata: a\n\n", [b"a"], id="other fields"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [b"a"], id="byte order mark"),
        pytest.param(b"\n\n\ndata: a\n\n\n\n", [b"a"], id="blank lines"),
        pytest.param(b"data: a\n", [], id="unfinished"),
        pytest.param("data: für\x85dich\u2028\n\n".encode(), ["für\x85dich\u2028".encode()], id="other line ends"),
    ],
)
def test_events(stream: bytes, expected: list[bytes]) -> None:
    """A stream gives the data of its events, in one piece as byte by byte."""
    assert parsed(stream) == expected
    assert parsed(*(bytes([byte]) for byte in stream)) == expected


lines = st.sampled_from(["data: x", "data: für 日本", "data:", "data", ": note", "event: e", "", "", "nonsense"])


@given(
    text=st.lists(st.tuples(lines, st.sampled_from(["\n", "\r\n", "\r"]))),
    mark=st.booleans(),
    cuts=st.lists(st.integers(min_value=0, max_value=200)),
)
def test_cuts_change_nothing(text: list[tuple[str, str]], mark: bool, cuts: list[int]) -> None:
    """However a stream is cut, also within a character or between CR and LF, it gives the same events."""
    stream = b"\xef\xbb\xbf" * mark + "".join(line + end for line, end in text).encode()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:stop] for start, stop in pairwise(places)]
    assert parsed(*chunks) == parsed(stream)


@pytest.mark.parametrize(
    ("stream", "rest"), [(b"data: a\n\ndata: b", b"b"), (b"data: a\ndata: b\n", b"a\nb"), (b"data: a\n\n", b"")]
)
def test_rest(stream: bytes, rest: bytes) -> None:
    """What the end of the stream left without its blank line can be asked for."""
    parser = EventParser()
    parser.feed(stream)
    assert parser.rest() == rest


@pytest.mark.parametrize("chunk", [b"x" * 40, b"data: 0123456789\n", b"data:\n" * 10])
def test_largest_event(chunk: bytes) -> None:
    """Neither a line nor an event without end fills the memory."""
    parser = EventParser(largest_event=100)
    with pytest.raises(ProviderError, match="larger than 100 bytes"):
        [parser.feed(chunk) for _ in range(20)]
