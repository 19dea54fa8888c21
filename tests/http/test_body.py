"""Bodies: their size, their framing, and those that never arrive whole."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator

import pytest
from raw_http import converse_path, message, post, read_reply, said
from running import RunningHost, component, send

from jackfield.serving.network import Network

MEBIBYTE = 1 << 20
TOO_LARGE = "failed to read request body: stream too large: the limit is {} bytes (--max-body-size)"
BOTH = pytest.mark.parametrize("api", ["alpha1", "alpha2"])


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="small")
def _small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that takes little and waits for little time."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo"))
    options = {"max_body_size": 1000, "body_timeout": 0.2}
    with RunningHost(folder, Network(port=0, server=request.param), options) as running:
        yield running


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Write a body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def sized(size: int) -> bytes:
    """Return a body of exactly so many bytes."""
    return said("x" * (size - len(said(""))))


@BOTH
def test_a_body_of_five_mebibytes_is_told_to_a_client_that_sends_all_of_it(host: RunningHost, api: str) -> None:
    """The error is daprd's 400 and can be read after the whole body was sent; the next connection is served."""
    with host.connect() as connection:
        connection.sendall(message("POST", converse_path("echo", api), b"x" * (5 * MEBIBYTE)))
        reply = read_reply(connection)
    assert reply.status == 400
    assert reply.json == {"errorCode": "ERR_BODY_READ", "message": TOO_LARGE.format(4 * MEBIBYTE)}
    assert host.converse("echo").status == 200


def test_a_body_of_the_largest_size_passes_and_one_byte_more_does_not(host: RunningHost) -> None:
    """The limit is 4 MiB, and what fits is answered whole."""
    body = sized(4 * MEBIBYTE)
    reply = host.request("POST", converse_path("echo"), body)
    assert reply.status == 200
    assert len(reply.json["outputs"][0]["choices"][0]["message"]["content"]) == len(body) - len(said(""))
    assert host.request("POST", converse_path("echo"), body + b" ").json["errorCode"] == "ERR_BODY_READ"


@BOTH
def test_the_limit_can_be_set(small: RunningHost, api: str) -> None:
    """A smaller limit holds to the byte, and the error names it and its option."""
    fitting = said("x" * (1000 - len(said("", api))), api)
    assert len(fitting) == 1000
    assert small.request("POST", converse_path("echo", api), fitting).status in {200, 202}
    reply = small.request("POST", converse_path("echo", api), fitting + b" ")
    assert (reply.status, reply.json["message"]) == (400, TOO_LARGE.format(1000))


@pytest.mark.parametrize("pieces", [1, 10])
def test_a_chunked_body_is_counted_as_it_comes(small: RunningHost, pieces: int) -> None:
    """Without a length the limit holds as well: what fits is answered, what doesn't is refused and taken in."""
    head = message("POST", converse_path("echo"), b"", "Transfer-Encoding: chunked")
    body = said("hi")
    parts = [body[start : start + 7] for start in range(0, len(body), 7)]
    with small.connect() as connection:
        connection.sendall(head + chunked(*parts))
        assert read_reply(connection).json["outputs"][0]["choices"][0]["message"]["content"] == "hi"
        connection.sendall(head + chunked(*[b"x" * (2000 // pieces)] * pieces))
        reply = read_reply(connection)
    assert (reply.status, reply.json["message"]) == (400, TOO_LARGE.format(1000))


def test_the_limit_holds_to_the_byte_without_a_length_too(small: RunningHost) -> None:
    """A chunked body of the limit's size is answered, one of a byte more is not."""
    head = message("POST", converse_path("echo"), b"", "Transfer-Encoding: chunked")
    with small.connect() as connection:
        for size, status in ((1000, 200), (1001, 400), (1000, 200)):
            connection.sendall(head + chunked(sized(size)))
            assert read_reply(connection).status == status


def test_the_connection_serves_on_after_a_body_that_was_too_large(small: RunningHost) -> None:
    """What was too large has been taken in, so that the next request on the connection is understood."""
    connection = small.connection()
    try:
        assert send(connection, "POST", converse_path("echo"), b"x" * 5000).status == 400
        assert send(connection, "POST", converse_path("echo"), said("on")).status == 200
    finally:
        connection.close()


def test_a_client_that_waits_for_100_continue_gets_it(host: RunningHost) -> None:
    """``Expect: 100-continue`` is answered before the body is sent, as curl needs it for larger ones."""
    body = said("waited")
    with host.connect() as connection:
        connection.sendall(message("POST", converse_path("echo"), body, "Expect: 100-continue")[: -len(body)])
        interim = connection.recv(4096)
        assert interim.startswith(b"HTTP/1.1 100")
        assert interim.endswith(b"\r\n\r\n")
        connection.sendall(body)
        assert read_reply(connection).json["outputs"][0]["choices"][0]["message"]["content"] == "waited"


@pytest.mark.parametrize("came", [0, 10])
@BOTH
def test_a_body_that_stalls_is_told(small: RunningHost, api: str, came: int) -> None:
    """After the limit of silence the request is 400, saying how much had come, and the connection ends."""
    with small.connect() as connection:
        connection.sendall(message("POST", converse_path("echo", api), b"x" * came, "Content-Length: 100"))
        reply = read_reply(connection)
        assert reply.status == 400
        assert reply.json == {
            "errorCode": "ERR_BODY_READ",
            "message": f"failed to read request body: nothing arrived for 200ms; {came} bytes had come until then",
        }
        assert connection.recv(1) == b""
    assert small.converse("echo").status == 200


def test_a_chunked_body_that_stalls_is_told(small: RunningHost) -> None:
    """A body without a length that never ends is no different."""
    head = message("POST", converse_path("echo"), b"", "Transfer-Encoding: chunked")
    with small.connect() as connection:
        connection.sendall(head + chunked(b"12345", end=b""))
        reply = read_reply(connection)
    assert (reply.status, reply.json["errorCode"]) == (400, "ERR_BODY_READ")
    assert "5 bytes had come" in reply.json["message"]


def test_a_slow_body_is_not_a_stalled_one(small: RunningHost) -> None:
    """Each piece begins the wait anew: a body may take longer than the limit of silence in all."""
    body = said("slowly")
    with small.connect() as connection:
        connection.sendall(message("POST", converse_path("echo"), body)[: -len(body)])
        connection.settimeout(0.06)
        for start in range(0, len(body), 8):
            connection.sendall(body[start : start + 8])
            with pytest.raises(TimeoutError):
                connection.recv(1)  # nothing comes before the body is whole
            if start > 32:
                connection.sendall(body[start + 8 :])
                break
        connection.settimeout(20)
        assert read_reply(connection).json["outputs"][0]["choices"][0]["message"]["content"] == "slowly"


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("line", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_client_that_leaves_within_its_body_harms_nobody(
    small: RunningHost, line: str, reset: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that ends or is reset within a body is forgotten without an error, and the host serves on."""
    connection = small.connect()
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(message("POST", converse_path("echo"), b"5\r\n12345\r\n", line))
    connection.close()
    assert small.converse("echo").status == 200
    assert [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}] == []


@BOTH
@pytest.mark.parametrize("lines", [[], ["Transfer-Encoding: chunked"]])
def test_an_empty_body_has_no_inputs(host: RunningHost, api: str, lines: list[str]) -> None:
    """An empty body is an empty message, which lacks its inputs."""
    body = chunked() if lines else b""
    with host.connect() as connection:
        connection.sendall(message("POST", converse_path("echo", api), body, *lines))
        reply = read_reply(connection)
    assert reply.status == 400
    assert reply.json == {
        "errorCode": "ERR_CONVERSATION_MISSING_INPUTS",
        "message": "failed conversing with component echo: missing inputs in request",
    }


def test_a_request_without_a_length_has_no_body(host: RunningHost) -> None:
    """A POST that says nothing about its body has none."""
    with host.connect() as connection:
        connection.sendall(f"POST {converse_path('echo')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert read_reply(connection).json["errorCode"] == "ERR_CONVERSATION_MISSING_INPUTS"


def test_a_reply_is_as_long_as_it_says(host: RunningHost) -> None:
    """Texts of several bytes a character are counted in bytes, so that the next reply is found."""
    with host.connect() as connection:
        for text in ("\u00fc", "\U0001f600" * 10, "plain"):
            body = json.dumps({"inputs": [{"content": text}]}, ensure_ascii=False).encode()
            connection.sendall(message("POST", converse_path("echo", "alpha1"), body))
            assert read_reply(connection).json["outputs"][0]["result"] == text
        connection.sendall(post("echo", "last"))
        assert read_reply(connection).status == 200


def test_a_metadata_value_that_stalls_is_told_too(small: RunningHost) -> None:
    """The other route with a body keeps to the same limits."""
    with small.connect() as connection:
        connection.sendall(message("PUT", "/v1.0/metadata/key", b"abc", "Content-Length: 100"))
        reply = read_reply(connection, "PUT")
        assert (reply.status, reply.json["errorCode"]) == (400, "ERR_BODY_READ")
        assert "3 bytes had come" in reply.json["message"]
        assert connection.recv(1) == b""
