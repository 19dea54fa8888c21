"""Requests with two possible ends: each is refused with the end of its connection, or has one end for certain."""

from __future__ import annotations

import pytest
from raw_http import converse_path, said
from running import RunningHost
from wire_replies import answers

BODY = said("first")
LENGTH = len(BODY)
HEAD = f"POST {converse_path('echo')} HTTP/1.1\r\nHost: localhost\r\n".encode()
# Taken for a part of the request before it, this has no answer; on its own, its answer says which one it is.
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
END = b'the header dapr-app-id"}'


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Write a body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def headed(*lines: bytes, body: bytes = BODY) -> bytes:
    """Write a request with header lines, and the next one after it."""
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body + NEXT


CL = b"Content-Length: %d" % LENGTH
TE = b"Transfer-Encoding: chunked"
ONE = b"%x\r\n%s\r\n0\r\n\r\n" % (LENGTH, BODY)
WHOLE = converse_path("echo").encode()

REFUSED = {
    "a length and chunks": headed(CL, TE, body=chunked(BODY)),
    "chunks and a length": headed(TE, b"Content-Length: 4", body=chunked(BODY)),
    "a length and chunks that aren't": headed(CL, TE),
    "two lengths": headed(CL, b"Content-Length: 3"),
    "two lengths in one line": headed(CL + b", 3"),
    "a length with a sign": headed(b"Content-Length: +%d" % LENGTH),
    "a negative length": headed(b"Content-Length: -1"),
    "a length in hexadecimal": headed(b"Content-Length: 0x%x" % LENGTH),
    "a length with a blank in it": headed(b"Content-Length: 1 2"),
    "a length with an underscore": headed(b"Content-Length: 1_0"),
    "an empty length": headed(b"Content-Length:"),
    "a length in other digits": headed("Content-Length: \u0665".encode()),
    "a blank before the colon": headed(b"Content-Length : %d" % LENGTH),
    "a blank before the colon of chunks": headed(b"Transfer-Encoding : chunked", body=chunked(BODY)),
    "an unknown coding": headed(b"Transfer-Encoding: xchunked", body=chunked(BODY)),
    "identity as a coding": headed(b"Transfer-Encoding: identity", body=chunked(BODY)),
    "chunks that are not the last coding": headed(b"Transfer-Encoding: chunked, identity", body=chunked(BODY)),
    "two codings in two lines": headed(TE, b"Transfer-Encoding: identity", body=chunked(BODY)),
    "chunked twice": headed(TE, TE, body=chunked(BODY)),
    "a coding in quotes": headed(b'Transfer-Encoding: "chunked"', body=chunked(BODY)),
    "a coding with a parameter": headed(b"Transfer-Encoding: chunked;x=1", body=chunked(BODY)),
    "a coding after a control character": headed(b"Transfer-Encoding: \x0bchunked", body=chunked(BODY)),
    "a coding before NUL": headed(b"Transfer-Encoding: chunked\x00", body=chunked(BODY)),
    "NUL in a value": headed(b"x-a: 1\x00", CL),
    "NUL in a name": headed(b"x\x00a: 1", CL),
    "a bare LF in a value": headed(b"x-a: 1\nContent-Length: 3", CL),
    "a bare CR in a value": headed(b"x-a: 1\rContent-Length: 3", CL),
    "an empty name": headed(b": 1", CL),
    "no colon": headed(b"nothing", CL),
    "a chunk's size with 0x": headed(TE, body=b"0x" + ONE),
    "a chunk's size with a sign": headed(TE, body=b"+" + ONE),
    "a negative chunk": headed(TE, body=b"-1\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk's size in blanks": headed(TE, body=b" " + ONE),
    "a chunk without a size": headed(TE, body=b"\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk beyond 64 bits": headed(TE, body=b"1" + b"0" * 16 + b"\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk that is longer than it says": headed(TE, body=b"%x\r\n%sXX\r\n0\r\n\r\n" % (LENGTH, BODY)),
    "a chunk without its end": headed(TE, body=b"%x\r\n%s0\r\n\r\n" % (LENGTH, BODY)),
    "bare LFs in chunks": headed(TE, body=b"%x\n%s\n0\n\n" % (LENGTH, BODY)),
    "a bare LF after a chunk's extension": headed(TE, body=b"%x;\n%s\r\n0\r\n\r\n" % (LENGTH, BODY)),
    "a blank in the path": headed(CL).replace(WHOLE, WHOLE + b" X"),
    "CR in the path": headed(CL).replace(WHOLE, WHOLE + b"\rX"),
    "a tab in the first line": headed(CL).replace(b"POST ", b"POST\t"),
}
READ = {
    "an extension of a chunk": headed(TE, body=b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (LENGTH, BODY)),
    "chunks in capitals": headed(b"TRANSFER-ENCODING: Chunked", body=chunked(BODY)),
    "a header with an underscore": headed(b"Transfer_Encoding: chunked", CL),
    "a length with a zero before it": headed(b"Content-Length: 0%d" % LENGTH),
    "many small chunks": headed(TE, body=chunked(*[BODY[at : at + 1] for at in range(LENGTH)])),
}
EITHER = {
    "the same length twice": headed(CL, CL),
    "the same length twice in one line": headed(CL + b", %d" % LENGTH),
    "a coding before chunks": headed(b"Transfer-Encoding: gzip, chunked", body=chunked(BODY)),
    "a folded line": headed(b"x-a: 1\r\n two", CL),
    "a folded coding": headed(b"Transfer-Encoding:\r\n chunked", body=chunked(BODY)),
    "a length in a trailer": headed(TE, body=chunked(BODY, end=b"0\r\nContent-Length: 3\r\n\r\n")),
    "a long extension of a chunk": headed(TE, body=b"%x;%s\r\n%s\r\n0\r\n\r\n" % (LENGTH, b"a" * 100_000, BODY)),
    "bare LFs after headers": headed(CL).replace(b"\r\n", b"\n", 4),
    "another version": headed(CL).replace(b"HTTP/1.1", b"HTTP/1.2", 1),
    "a line before the first": b"\r\n" + headed(CL),
    "a second blank in the first line": headed(CL).replace(b"POST ", b"POST  "),
    "an upgrade to HTTP/2": headed(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA", CL
    ),
    "chunks in HTTP/1.0": headed(TE, body=chunked(BODY)).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
}


@pytest.mark.parametrize("shape", REFUSED)
def test_a_request_with_two_ends_is_refused(host: RunningHost, shape: str) -> None:
    """A request whose end could be found in two ways gets at most one refusal, and its connection ends."""
    with host.connect() as connection:
        answered = answers(connection, REFUSED[shape], end=END)
    assert answered.closed, answered.received
    assert answered.statuses in ([400], [501])


@pytest.mark.parametrize("shape", READ)
def test_what_is_unusual_and_clear_is_read(host: RunningHost, shape: str) -> None:
    """What is unusual and clear by the standard is read as it says, and the next request begins where it ends."""
    with host.connect() as connection:
        answered = answers(connection, READ[shape], end=END)
    assert answered.statuses == [200, 404]
    assert b'"first"' in answered.bodies[0]


@pytest.mark.parametrize("shape", EITHER)
def test_what_servers_may_refuse_or_read_has_one_end(host: RunningHost, shape: str) -> None:
    """Where the standard leaves the choice, a request is refused with the end of its connection, or read to one end."""
    with host.connect() as connection:
        answered = answers(connection, EITHER[shape], end=END)
    if answered.statuses[0] == 200:
        assert b'"first"' in answered.bodies[0]
        assert answered.statuses == [200] if answered.closed else [200, 404]
    else:
        assert answered.closed
        assert answered.statuses[0] in {400, 431, 501}
        assert len(answered.statuses) == 1


def test_a_length_that_is_too_short_makes_two_requests(host: RunningHost) -> None:
    """Bytes behind a body's length are the next request and never a part of this one: refused, and not echoed."""
    with host.connect() as connection:
        answered = answers(connection, headed(b"Content-Length: 3"))
    assert answered.closed
    assert answered.statuses == [400, 400] or answered.statuses == [400]
    assert b"first" not in answered.received


def test_a_chunk_without_end_is_given_up(host: RunningHost) -> None:
    """A chunk that says it is larger than any memory is neither waited for nor made room for."""
    with host.connect() as connection:
        answered = answers(connection, headed(TE, body=b"f" * 15 + b"\r\n" + BODY))
    assert answered.closed
    assert answered.statuses == [400]
