"""Streamed replies and time: a slow reader slows the provider, one that leaves ends its work, a stop lets it finish."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path

import process
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded
from raw_http import converse_path, message
from running import RunningHost, component, converse_on
from scripted import Signal, sse_events, streamed, streaming_plugin

from jackfield import ConversationRequest, Delta, Event, Finish, TextPart
from jackfield.serving.network import Network

PIECE = "X" * 65536
PIECES = 1024
PATIENCE = 20.0
BODY = b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"go"}]}}]}],"stream":true}'

SERVERS = pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])


class Provider:
    """Writes 64 MiB as fast as it may, and counts; ``waits`` for nothing, for its turn, or for ever."""

    def __init__(self, waits: str) -> None:
        self.waits = waits
        self.written = 0
        self.closed = threading.Event()
        self.closed_at = 0.0

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        try:
            for _ in range(PIECES):
                yield Delta(TextPart(PIECE))
                self.written += 1
                if self.waits == "turn":
                    await asyncio.sleep(0)  # as a provider does that reads from a socket
                elif self.waits == "ever":
                    await asyncio.Event().wait()
            yield Finish("stop")
        finally:
            self.closed_at = time.perf_counter()
            self.closed.set()


def serving(folder: Path, server: str, provider: Provider, **options: object) -> RunningHost:
    """Make a host whose component ``talk`` is a provider's."""
    (folder / "talk.yaml").write_text(component("talk", "conversation.talk"))
    plugins = [streaming_plugin(talk=provider.stream)]
    return RunningHost(folder, Network(port=0, server=server), dict(options), plugins)


def settle(provider: Provider) -> int:
    """Wait until the provider writes no more for a while; returns how many pieces it has written."""
    end, before = time.monotonic() + PATIENCE, -1
    while before != provider.written or not before:
        assert time.monotonic() < end
        before = provider.written
        time.sleep(0.3)  # that nothing happens has no signal
    return before


def ask(host: RunningHost) -> socket.socket:
    """Ask for a stream on a connection that takes little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", host.port))
    client.sendall(message("POST", converse_path("talk"), BODY, "Connection: close"))
    return client


@SERVERS
@pytest.mark.parametrize("waits", ["turn", "nothing"])
def test_a_reader_that_stops_reading_stops_the_provider(tmp_path: Path, server: str, waits: str) -> None:
    """What the host holds for a reader that takes nothing is bounded; when it reads on, it gets every byte."""
    provider = Provider(waits)
    with serving(tmp_path, server, provider) as host, ask(host) as client:
        held = settle(provider)
        received = 0
        while data := client.recv(1 << 20):
            received += data.count(b"X")

        assert held * len(PIECE) < 16 << 20
        assert received == PIECES * len(PIECE)
        assert provider.closed.wait(PATIENCE)


@SERVERS
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_reader_that_never_reads_holds_up_no_stop(tmp_path: Path, server: str, stream: bool) -> None:
    """Others are served beside it, and a process that stops doesn't wait for it beyond its budget."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "x" * 3_000_000}]}}]}], "stream": stream}
    with process.serving(tmp_path, "--port", "0", "--server", server, "--graceful-shutdown-seconds", "1") as running:
        running.wait_for("component loaded")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", running.port))
            client.sendall(message("POST", converse_path("echo"), json.dumps(body).encode()))
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            assert converse_on(running.port, "echo", "hi").status == 200
            began = time.monotonic()
            running.signal(signal.SIGTERM)
            assert running.exit_code() == 0
            assert time.monotonic() - began < 10


@SERVERS
@pytest.mark.parametrize("waits", ["turn", "nothing", "ever"])
@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_reader_that_leaves_ends_the_providers_work_at_once(
    tmp_path: Path, server: str, waits: str, reset: bool
) -> None:
    """Within 100 ms of a client's leaving, in the best of five tries, its provider's generator is closed."""

    def delay() -> float:
        provider.closed.clear()
        with ask(host) as client:
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            left = time.perf_counter()
        assert provider.closed.wait(PATIENCE)
        return provider.closed_at - left

    provider = Provider(waits)
    with serving(tmp_path, server, provider) as host:
        assert min(delay() for _ in range(5)) < 0.1
        end = time.monotonic() + PATIENCE
        while host.host.running:
            assert time.monotonic() < end
            time.sleep(0.01)  # the last steps of a request have no signal


@SERVERS
def test_a_stop_lets_a_stream_finish_and_cuts_one_that_takes_too_long(tmp_path: Path, server: str) -> None:
    """Within the budget a running stream gets its end; after it an ``error`` says that the host is stopping."""
    last = Signal()

    async def two(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("begun"))
        if request.messages[0].text == "short":
            await last.wait()
        else:
            await asyncio.Event().wait()
        yield Finish("stop")

    (tmp_path / "two.yaml").write_text(component("two", "conversation.two"))
    network, options = Network(port=0, server=server), {"graceful_shutdown_seconds": 1.0}
    with RunningHost(tmp_path, network, options, [streaming_plugin(two=two)]) as host, ExitStack() as stack:
        short = stack.enter_context(streamed(host, "two", "short"))
        long = stack.enter_context(streamed(host, "two", "long"))
        assert (short.status, long.status) == (200, 200)
        host.stop()
        last.set()
        assert [event.name for event in sse_events(short)] == ["", "", "done"]
        *_, end = sse_events(long)
        assert end.name == "error"
        assert "the host is stopping" in end.data["message"]


class Http2:
    """A client that asks for one stream over HTTP/2 and grants as much room as a test says."""

    def __init__(self, host: RunningHost) -> None:
        self.connection = host.connect()
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        where = [(":path", converse_path("talk")), (":scheme", "http"), (":authority", "localhost")]
        self.h2.send_headers(1, [(":method", "POST"), *where])
        self.h2.send_data(1, BODY, end_stream=True)
        self.flush()

    def flush(self) -> None:
        """Send what there is to be sent."""
        self.connection.sendall(self.h2.data_to_send())

    def read(self, *, grant: bool) -> tuple[int, int, bool]:
        """Read once: the status if it came, how many bytes of text, and whether the stream has ended."""
        status = text = 0
        ended = False
        data = self.connection.recv(1 << 20)
        assert data, "the connection ended before the stream did"
        for event in self.h2.receive_data(data):
            if isinstance(event, ResponseReceived):
                status = int(next(value for name, value in event.headers or () if name in {":status", b":status"}))
            elif isinstance(event, DataReceived):
                text += (event.data or b"").count(b"X")
                if grant:
                    self.h2.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            ended = ended or isinstance(event, StreamEnded)
        self.flush()
        return status, text, ended


def test_an_http2_reader_that_grants_no_room_stops_the_provider(tmp_path: Path) -> None:
    """Its window is what the host sends, and little more is written; a reset of the stream ends the provider's work."""
    provider = Provider("nothing")
    with serving(tmp_path, "hypercorn", provider) as host:
        client = Http2(host)
        with client.connection:
            while not client.read(grant=False)[0]:
                pass
            assert settle(provider) * len(PIECE) < 16 << 20
            client.h2.reset_stream(1)
            left = time.perf_counter()
            client.flush()
            assert provider.closed.wait(PATIENCE)
            assert provider.closed_at - left < 2
    assert provider.written < PIECES


def test_an_http2_reader_gets_every_byte(tmp_path: Path) -> None:
    """The same stream, read as fast as it comes."""
    provider = Provider("turn")
    with serving(tmp_path, "hypercorn", provider) as host:
        client = Http2(host)
        with client.connection:
            received, ended = 0, False
            while not ended:
                _, text, ended = client.read(grant=True)
                received += text
    assert received == PIECES * len(PIECE)


def test_the_record_of_a_stream_tells_how_it_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A whole stream is 200; one whose client has left is 499."""
    provider = Provider("ever")
    caplog.set_level("INFO", "jackfield.api")
    with serving(tmp_path, "hypercorn", provider, api_logging=True) as host:
        (tmp_path / "echo.yaml").write_text(component("echo"))
        with ask(host) as client:
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        assert provider.closed.wait(PATIENCE)
        end = time.monotonic() + PATIENCE
        while host.converse("echo").status != 200:
            assert time.monotonic() < end
            time.sleep(0.02)  # the folder's change has no signal here
        with streamed(host, "echo") as response:
            assert json.loads(response.read().rpartition(b"data: ")[2])["record"]["component"] == "echo"
        host.stop()
        host.join()
    told = [(vars(line)["component"], vars(line)["status"]) for line in caplog.records if line.name == "jackfield.api"]
    assert ("talk", 499) in told
    assert told[-1] == ("echo", 200)
