"""The heads of responses at hypercorn: they are h11's own, to the byte, and so are its refusals."""

from __future__ import annotations

from collections.abc import Callable

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jackfield.serving.response_heads import head

_TYPICAL = [
    (b"x-request-id", b"0def391c00a0-1f4"),
    (b"content-type", b"application/json"),
    (b"x-jackfield-overhead-ms", b"0.019"),
    (b"content-length", b"230"),
    (b"date", b"Mon, 23 Nov 2026 16:05:09 GMT"),
]
_NAMES = st.sampled_from(
    [b"content-length", b"Content-Length", b"transfer-encoding", b"connection", b"age", b"X-A", b""]
)
_VALUES = st.sampled_from(
    [b"0", b"12", b"12, 12", b"chunked", b"close", b"", b"a b", b" a", b"a\0b", b"a\r\nb: c", b"\xff"]
)
_HEADERS = st.lists(st.tuples(_NAMES | st.binary(max_size=4), _VALUES | st.binary(max_size=6)), max_size=6)


@given(_HEADERS)
@example(_TYPICAL)
@example([(b"content-length", b"1"), (b"content-length", b"2")])
@example([(b"content-length", b"1" * 21)])
@example([(b"a", b"b\0c"), (b"d\0", b"")])
@example([(b"a\0b", b"c")])
def test_a_head_is_what_h11_makes_of_it(headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever headers an application sends, they become what h11 makes of them: its bytes, or its refusal."""
    assert _sent(head, headers) == _sent(_by_h11, headers)


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b" a", b"a "])
def test_a_value_that_is_none_is_refused(value: bytes) -> None:
    """A value can't bring a header of its own: what has a line's end in it, a zero or blanks around it is refused."""
    with pytest.raises(h11.LocalProtocolError, match="Illegal header value"):
        head([*_TYPICAL, (b"x-jackfield-component", value)], 200)


def _by_h11(headers: list[tuple[bytes, bytes]], status: int) -> h11.Response:
    return h11.Response(headers=headers, status_code=status)


def _sent(
    make: Callable[[list[tuple[bytes, bytes]], int], h11.Response], headers: list[tuple[bytes, bytes]]
) -> bytes | str | None:
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    server.next_event()
    try:
        return server.send(make(headers, 200))
    except h11.LocalProtocolError as refusal:
        return str(refusal)
