"""HTTP/2 in clear text, begun without asking (contract sheet, section 1.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded
from raw_http import converse_path, said
from running import RunningHost, component

from jackfield.testing import hang
from upstream import running_upstream


@pytest.fixture(scope="module", name="hypercorn")
def _hypercorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder: Path = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo"))
    with RunningHost(folder, options={"max_body_size": 1000}) as running:
        yield running


def _status(headers: Iterable[tuple[str | bytes, str | bytes]]) -> int:
    return next(int(value) for name, value in headers if name in {":status", b":status"})


def _send(h2: H2Connection, stream: int, method: str, path: str, body: bytes) -> None:
    headers = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "localhost")]
    h2.send_headers(stream, headers, end_stream=not body)
    if body:
        h2.send_data(stream, body, end_stream=True)


def exchange(host: RunningHost, *requests: tuple[str, str, bytes]) -> list[tuple[int, bytes]]:
    """Send requests as streams of one connection, all before the first reply is read."""
    h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    h2.initiate_connection()
    streams: list[int] = []
    for method, path, body in requests:
        stream = h2.get_next_available_stream_id()
        _send(h2, stream, method, path, body)
        streams.append(stream)
    status: dict[int, int] = {}
    bodies: dict[int, bytes] = dict.fromkeys(streams, b"")
    open_streams = set(streams)
    with host.connect() as connection:
        connection.sendall(h2.data_to_send())
        while open_streams:
            data = connection.recv(65536)
            assert data, "the connection ended before every stream did"
            for event in h2.receive_data(data):
                if isinstance(event, ResponseReceived) and event.headers and event.stream_id:
                    status[event.stream_id] = _status(event.headers)
                elif isinstance(event, DataReceived) and event.stream_id and event.data is not None:
                    bodies[event.stream_id] += event.data
                    h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                elif isinstance(event, StreamEnded) and event.stream_id:
                    open_streams.discard(event.stream_id)
            connection.sendall(h2.data_to_send())
    return [(status[stream], bodies[stream]) for stream in streams]


def test_prior_knowledge_is_enough(hypercorn: RunningHost) -> None:
    """A client that speaks HTTP/2 at once is answered in HTTP/2, by every route."""
    replies = exchange(
        hypercorn,
        ("POST", converse_path("echo"), said("two")),
        ("POST", converse_path("echo", "alpha1"), said("one", "alpha1")),
        ("POST", converse_path("a%2Fb"), said("x")),
        ("POST", converse_path("%zz"), said("x")),
        ("GET", "/v1.0/healthz", b""),
        ("GET", "/nowhere", b""),
    )
    assert [status for status, _ in replies] == [200, 202, 400, 400, 204, 404]
    assert json.loads(replies[0][1])["outputs"][0]["choices"][0]["message"] == {"content": "two"}
    assert json.loads(replies[1][1])["outputs"] == [{"result": "one", "parameters": {}}]
    assert json.loads(replies[2][1])["message"] == "failed finding conversation component a/b"


def test_streams_of_one_connection_keep_apart(hypercorn: RunningHost) -> None:
    """Fifty requests at once on one connection each get their own reply."""
    replies = exchange(hypercorn, *[("POST", converse_path("echo"), said(f"text {n}")) for n in range(50)])
    for number, (status, body) in enumerate(replies):
        content = json.loads(body)["outputs"][0]["choices"][0]["message"]["content"]
        assert (status, content) == (200, f"text {number}")


def test_a_body_over_the_limit_is_told_in_http_2_as_well(hypercorn: RunningHost) -> None:
    """A stream whose body is too large gets the 400, and its neighbours their answers."""
    replies = exchange(
        hypercorn,
        ("POST", converse_path("echo"), said("before")),
        ("POST", converse_path("echo"), said("x" * 5000)),
        ("POST", converse_path("echo"), said("after")),
    )
    assert [status for status, _ in replies] == [200, 400, 200]
    assert json.loads(replies[1][1])["errorCode"] == "ERR_BODY_READ"


def test_a_reset_stream_cancels_its_provider_call(tmp_path: Path) -> None:
    """A client that gives up one stream ends that call alone; the connection serves on."""
    with running_upstream(hang) as upstream:
        llm = component("llm", "conversation.openai", key="sk-0123456789", endpoint=upstream.endpoint)
        (tmp_path / "a.yaml").write_text(llm + "---\n" + component("echo"))
        with RunningHost(tmp_path) as host, host.connect() as connection:
            h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
            h2.initiate_connection()
            _send(h2, 1, "POST", converse_path("llm"), said("never answered"))
            connection.sendall(h2.data_to_send())
            upstream.wait_asked()
            h2.reset_stream(1)
            _send(h2, 3, "POST", converse_path("echo"), said("next"))
            connection.sendall(h2.data_to_send())
            upstream.wait_closed()
            status = 0
            while not status:
                for event in h2.receive_data(connection.recv(65536)):
                    if isinstance(event, ResponseReceived) and event.headers and event.stream_id == 3:
                        status = _status(event.headers)
            assert status == 200
