"""Clients that leave: their provider call is cancelled, and nobody else notices."""

from __future__ import annotations

import logging
import queue
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from raw_http import post, read_reply
from running import RunningHost, component

from jackfield.serving.network import Network
from jackfield.testing import chat, hang
from upstream import Upstream, running_upstream

APIS = pytest.mark.parametrize("api", ["alpha1", "alpha2"])


@pytest.fixture(name="upstream")
def _upstream() -> Iterator[Upstream]:
    with running_upstream(hang) as upstream:
        yield upstream


@pytest.fixture(params=["hypercorn", "uvicorn"], name="asking")
def _asking(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("manifests")
    llm = component("llm", "conversation.openai", key="sk-0123456789", endpoint=upstream.endpoint, maxConcurrency="1")
    (folder / "llm.yaml").write_text(llm)
    with RunningHost(folder, Network(port=0, server=request.param), {"api_logging": True}) as running:
        yield running


@contextmanager
def finished_requests() -> Iterator[queue.Queue[tuple[str, int]]]:
    """Give the id and status of every request that the API's log tells of, as soon as it does."""
    finished: queue.Queue[tuple[str, int]] = queue.Queue()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            facts = vars(record)
            finished.put((facts["id"], facts["status"]))

    log, handler = logging.getLogger("jackfield.api"), Handler()
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield finished
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@APIS
@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_client_that_leaves_cancels_its_provider_call(
    asking: RunningHost, upstream: Upstream, api: str, reset: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The upstream sees its connection close, the place among the running calls is free, and nothing is an error."""
    with finished_requests() as finished:
        connection = asking.connect()
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(post("llm", "hi", "x-request-id: gone", api=api))
        upstream.wait_asked()
        connection.close()
        upstream.wait_closed()
        assert finished.get(timeout=20) == ("gone", 499)
    upstream.behave(chat)
    assert asking.converse("llm", api=api).status in {200, 202}
    assert [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}] == []
    assert not asking.host.running


def test_a_client_that_waits_in_line_may_leave_too(asking: RunningHost, upstream: Upstream) -> None:
    """A request that waits for its turn is forgotten when its client leaves, and never reaches the provider."""
    with finished_requests() as finished:
        first, second = asking.connect(), asking.connect()
        first.sendall(post("llm", "first", "x-request-id: first"))
        upstream.wait_asked()
        second.sendall(post("llm", "second", "x-request-id: second"))
        second.close()
        assert finished.get(timeout=20) == ("second", 499)
        first.close()
        assert finished.get(timeout=20) == ("first", 499)
        upstream.wait_closed()
        assert [b"first" in asked.data for asked in upstream.requests] == [True]
        upstream.behave(chat)
        assert asking.converse("llm", "third", x_request_id="third").status == 200
        assert finished.get(timeout=20) == ("third", 200)


def test_a_kept_alive_connection_is_watched_in_each_request(asking: RunningHost, upstream: Upstream) -> None:
    """The watch of one request doesn't swallow the next one on the same connection."""
    upstream.behave(chat)
    with asking.connect() as connection:
        for turn in range(3):
            connection.sendall(post("llm", f"turn {turn}"))
            assert read_reply(connection).status == 200
        upstream.behave(hang)
        connection.sendall(post("llm", "last"))
        upstream.wait_asked()
    upstream.wait_closed()


def test_a_client_that_sent_its_body_slowly_is_watched_too(asking: RunningHost, upstream: Upstream) -> None:
    """However long the body took, from its end on a client that leaves cancels its provider call."""
    request = post("llm", "hi")
    with asking.connect() as connection:
        connection.sendall(request[:-5])
        connection.settimeout(0.06)
        with pytest.raises(TimeoutError):
            connection.recv(1)  # nothing comes before the body is whole
        connection.sendall(request[-5:])
        upstream.wait_asked()
    upstream.wait_closed()
