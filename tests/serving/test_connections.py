"""Connections at both servers: who leaves takes nothing of the host's with it, and a stop loses no request."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, SettingsFrame
from running import RunningHost, component
from scripted import Signal, sse_events, streamed, streaming_plugin

from jackfield import ConversationRequest, Delta, Event, Finish, TextPart
from jackfield.serving.network import Network

_H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
_REQUEST = b"GET /v1.0/healthz/outbound HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("server", "sent", "answer"),
    [
        ("hypercorn", b"", b""),
        ("hypercorn", _REQUEST, b"204"),
        ("hypercorn", _REQUEST[:20], b""),
        ("hypercorn", _H2_PREFACE, b"\0"),
        ("uvicorn", b"", b""),
        ("uvicorn", _REQUEST, b"204"),
    ],
    ids=["unused", "after a reply", "half a request", "http2", "uvicorn unused", "uvicorn after a reply"],
)
def test_a_connection_ends_with_its_client(tmp_path: Path, server: str, sent: bytes, answer: bytes) -> None:
    """The host closes a connection as soon as its client has, and doesn't keep it for the time of an idle one."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, Network(port=0, server=server)) as host, host.connect() as connection:
        connection.settimeout(10)
        connection.sendall(sent)
        received = connection.recv(1000) if answer else b""
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(1000):
            received += piece
        assert answer in received


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_stop_leaves_every_connection_a_last_request(tmp_path: Path, server: str) -> None:
    """Who was let in, or answered, just before the stop is answered once more and told that this was all."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, Network(port=0, server=server)) as host, ExitStack() as stack:
        new, half, silent, kept = (stack.enter_context(host.connect()) for _ in range(4))
        for connection in (new, half, silent, kept):
            connection.settimeout(10)
        kept.sendall(_REQUEST)
        assert b"204" in kept.recv(1000)  # and so the others, which came before, have been let in
        host.stop()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.02), host.loop).result(10)  # its tasks have heard of it then
        half.sendall(_REQUEST[:20])
        for connection in (new, kept):
            connection.sendall(_REQUEST)
            reply = connection.recv(1000).lower()
            assert b"204" in reply
            assert b"connection: close" in reply
            assert connection.recv(1000) == b""
        began = time.monotonic()
        assert silent.recv(1000) == b""
        assert half.recv(1000) == b""
        host.join()
        assert time.monotonic() - began < 4.5, "half a request holds up the stop, for its five seconds"


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_who_comes_with_the_stop_and_stays_silent_holds_it_up_no_longer_than_others(
    tmp_path: Path, server: str
) -> None:
    """A connection that is taken when the stop has begun is closed after the same half second of silence."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, Network(port=0, server=server), {"graceful_shutdown_seconds": 20.0}) as host:
        assert host.request("GET", "/v1.0/healthz/outbound").status == 204
        with _late(host) as connection:
            began = time.monotonic()
            assert connection.recv(1000) == b""
            host.join()
            assert time.monotonic() - began < 5


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_stop_leaves_a_stream_that_had_begun_a_last_request(tmp_path: Path, server: str) -> None:
    """A reply whose head has left before the stop can't say that it is the last, so its connection takes another."""
    more = Signal()

    async def talk(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("begun"))
        await more.wait()
        yield Finish("stop")

    (tmp_path / "talk.yaml").write_text(component("talk", "conversation.talk"))
    with RunningHost(tmp_path, Network(port=0, server=server), plugins=[streaming_plugin(talk=talk)]) as host:
        with streamed(host, "talk") as response:
            connection: socket.socket = vars(response.fp.raw)["_sock"]
            host.stop()
            more.set()
            assert [event.name for event in sse_events(response)] == ["", "", "done"]
            connection.sendall(_REQUEST)
            reply = connection.recv(1000).lower()
        assert b"204" in reply
        assert b"connection: close" in reply


def test_a_stop_tells_an_http2_client_and_answers_what_it_has_sent(tmp_path: Path) -> None:
    """GOAWAY comes at once with the highest number there is, and a stream that crossed it is answered."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    ask = [(":method", "GET"), (":path", "/v1.0/healthz/outbound"), (":scheme", "http"), (":authority", "localhost")]
    with RunningHost(tmp_path) as host, host.connect() as connection:
        connection.settimeout(10)
        client = H2Connection(H2Configuration(client_side=True))
        client.initiate_connection()
        client.send_headers(1, ask, end_stream=True)
        connection.sendall(client.data_to_send())
        frames = _frames(connection)
        assert next(frame for frame in frames if isinstance(frame, HeadersFrame)).stream_id == 1
        host.stop()
        away = next(frame for frame in frames if isinstance(frame, GoAwayFrame))
        assert away.last_stream_id == (1 << 31) - 1
        client.send_headers(3, ask, end_stream=True)
        connection.sendall(client.data_to_send())
        assert [frame.stream_id for frame in frames if isinstance(frame, HeadersFrame)] == [3]


def test_an_http2_client_that_comes_with_the_stop_is_told_too(tmp_path: Path) -> None:
    """It hears the server's settings, which come first in HTTP/2, and that it is to send its requests elsewhere."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path) as host:
        assert host.request("GET", "/v1.0/healthz/outbound").status == 204
        with _late(host) as connection:
            connection.sendall(_H2_PREFACE)
            kinds = [type(frame) for frame in _frames(connection)]
            assert kinds[0] is SettingsFrame
            assert GoAwayFrame in kinds


def _late(host: RunningHost) -> socket.socket:
    """Stop a host, and connect to it while it still takes connections; those that it had have been told."""

    async def come() -> socket.socket:
        await asyncio.sleep(0.02)
        return host.connect()  # it blocks the event loop, so that it waits to be taken when that looks

    host.stop()
    return asyncio.run_coroutine_threadsafe(come(), host.loop).result(10)


def _frames(connection: socket.socket) -> Iterator[Frame]:
    """Give the frames of HTTP/2 that come, to the connection's end."""
    reader = connection.makefile("rb")
    while len(head := reader.read(9)) == 9:
        frame, length = Frame.parse_frame_header(memoryview(head))
        frame.parse_body(memoryview(reader.read(length)))
        yield frame
