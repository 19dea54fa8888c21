"""Clients that send little, for long, or much that is never whole: what they can hold of a host is bounded."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from raw_http import converse_path, message, post, read_reply, said
from running import RunningHost, component
from scripted import streaming_plugin
from wire_replies import answers

from jackfield import ConversationRequest, Delta, Event, Finish, TextPart
from jackfield.serving import servers
from jackfield.serving.network import Network

HEAD = b"GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n"


async def slow(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    """Reply after twice the time for which a connection may be idle below."""
    await asyncio.sleep(1)
    yield Delta(TextPart("at last"))
    yield Finish("stop")


@pytest.fixture(params=["hypercorn", "uvicorn"])
def impatient(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningHost]:
    """A host whose connections may be idle for half a second instead of 75."""
    monkeypatch.setattr(servers, "_KEEP_ALIVE", 0.5)
    (tmp_path / "slow.yaml").write_text(component("slow", "conversation.slow"))
    plugins = [streaming_plugin(slow=slow)]
    with RunningHost(tmp_path, Network(port=0, server=request.param), plugins=plugins) as running:
        yield running


def dripped(connection: socket.socket, data: bytes) -> float:
    """Send a byte at a time until the server closes the connection; returns the seconds that it took."""
    began = time.monotonic()
    connection.settimeout(0.05)
    with suppress(ConnectionError):
        for byte in data:
            connection.sendall(bytes([byte]))
            with suppress(TimeoutError):
                if connection.recv(65536) == b"":
                    break
    return time.monotonic() - began


@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n", HEAD])
def test_a_head_that_is_never_whole_ends(impatient: RunningHost, before: bytes) -> None:
    """A request's line and headers that drip in end their connection after the time that an idle one has."""
    with impatient.connect() as connection:
        connection.sendall(before)
        rest = b"x-a: 1\r\n" * 100
        # Without a limit it would take 40 s; the upper bound is for a machine that is busy.
        assert 0.2 < dripped(connection, rest if before == HEAD else HEAD + rest) < 20


def test_a_connection_on_which_nothing_comes_ends(impatient: RunningHost) -> None:
    """Who connects and says nothing is let go after the time that an idle connection has."""
    with impatient.connect() as connection:
        assert connection.recv(1) == b""


def test_a_slow_reply_is_no_idle_connection(impatient: RunningHost) -> None:
    """The limit on slow clients is on what they have to send: after a whole request it no longer counts."""
    with impatient.connect() as connection:
        for _ in range(2):
            connection.sendall(post("slow", "on"))
            assert read_reply(connection).text == "at last"


def test_half_a_head_cuts_no_reply_short(impatient: RunningHost) -> None:
    """The limit on the next request's head ends the connection when the reply that runs is out, and not before."""
    with impatient.connect() as connection:
        connection.sendall(post("slow", "on") + HEAD)
        assert read_reply(connection).text == "at last"
        assert connection.recv(1) == b""


@pytest.mark.parametrize("of", ["line", "header", "headers"])
def test_a_head_without_end_is_refused(host: RunningHost, of: str) -> None:
    """A line, a header or headers without end are 431 or 400, or the end of the connection, before they fill memory."""
    endless = {"line": b"GET /" + b"a" * (1 << 20), "header": HEAD + b"x-a: " + b"a" * (1 << 20)}
    data = endless.get(of) or HEAD + b"".join(b"x-%d: 1\r\n" % number for number in range(100_000))
    with host.connect() as connection:
        answered = answers(connection, data)
    assert answered.closed
    assert answered.statuses in ([431], [400], [])
    assert host.converse("echo").status == 200


def test_sixteen_kibibytes_of_headers_are_taken(host: RunningHost) -> None:
    """Headers of 15 KB are taken, on a connection's first request and on a later one."""
    line = "x-a: " + "a" * 15_000
    with host.connect() as connection:
        for _ in range(3):
            connection.sendall(post("echo", "on", line))
            assert read_reply(connection).status == 200


def test_large_pieces_of_bodies_are_no_heads(host: RunningHost) -> None:
    """Requests that come in large pieces, one behind the other, are all answered, whatever the pieces hold."""
    large = message("POST", converse_path("echo"), said("x" * 300_000))
    with host.connect() as connection:
        answered = answers(connection, large * 3 + post("echo", "last", "Connection: close"))
    assert answered.statuses == [200] * 4


def test_a_request_that_waits_holds_up_nobody(host: RunningHost) -> None:
    """A hundred requests that are not whole leave the host to answer others."""
    waiting = [host.connect() for _ in range(100)]
    try:
        for number, connection in enumerate(waiting):
            connection.sendall(HEAD if number % 2 else message("POST", converse_path("echo"), b"", "Content-Length: 9"))
        assert host.converse("echo").status == 200
    finally:
        for connection in waiting:
            connection.close()
