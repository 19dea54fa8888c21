"""The short form of the suite `stop`: stops of two forms and a killed worker, and proof that it finds what is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import leftovers
import pytest
import stopping
from stop_clients import Asked, CutOff, Outcome, Unread, read_reply
from stop_load import BUDGET
from stop_once import Stopped, Stopping, lost

AT = 100.0
TOLD = "500 b'the host is stopping and the reply took too long'"


@pytest.mark.timeout(180)  # seconds where a machine is idle; it starts five processes and loads them
def test_stops_and_kills_under_load_lose_nothing() -> None:
    """Every accepted request is answered, the process ends in time with code 0, and nothing of it is left."""
    figures = {figure.text: figure.value for figure in stopping.torture(seconds=10, seed=5)}
    assert figures["stops under load"] == "2"
    assert int(figures["requests answered"].replace(",", "")) > 50
    assert figures["workers of three killed"] == "1"


@pytest.mark.parametrize(
    ("outcome", "sent", "silent", "ended", "detail", "right"),
    [
        pytest.param("answered", -1, 0, 1, "", True, id="answered"),
        pytest.param("cut", -1, 0, 1, "", False, id="cut"),
        pytest.param("wrong", -1, 0, 1, "it says another's words", False, id="wrong"),
        pytest.param("wrong", -1, 0, BUDGET, TOLD, True, id="told, when the time was over"),
        pytest.param("wrong", -1, 0, 1, TOLD, False, id="told too early"),
        pytest.param("refused", 1, 0, 1, "", True, id="refused after the signal"),
        pytest.param("refused", -1, 0, 1, "", False, id="refused before it"),
        pytest.param("closed unread", 0.1, 1, 1, "", True, id="closed after a silence"),
        pytest.param("closed unread", 0.1, 0.1, 1, "", False, id="closed without one"),
        pytest.param("closed unread", -0.1, 1, 1, "", False, id="closed before the signal"),
        pytest.param("", -1, 0, 0, "", False, id="never ended"),
    ],
)
def test_the_judge_knows_what_is_lost(
    outcome: Outcome, sent: float, silent: float, ended: float, detail: str, *, right: bool
) -> None:
    """A request is lost unless it was answered, or refused in one of the ways that the docs name."""
    asked = Asked("kept", "kept-1", silent, sent=AT + sent, ended=AT + ended, outcome=outcome, detail=detail)
    stopped = Stopped(Stopping("hypercorn", 1, signal.SIGTERM), [asked], AT, 1.0)
    assert (lost(asked, stopped, ()) == "") is right


def test_a_request_that_was_begun_is_not_closed_unread() -> None:
    """Whoever is let go without an answer may ask again, so that nothing may have been done for it."""
    asked = Asked("kept", "kept-1", 1.0, sent=AT + 0.1, ended=AT + 1, outcome="closed unread")
    stopped = Stopped(Stopping("hypercorn", 1), [asked], AT, 1.0)
    assert lost(asked, stopped, {"kept-1"}).endswith("it was begun")


@pytest.mark.parametrize(
    ("received", "error"),
    [
        (b"", Unread),
        (b"HTTP/1.1 200 OK\r\n", CutOff),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", CutOff),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", CutOff),
    ],
)
def test_a_cut_reply_is_told_from_none(received: bytes, error: type[ConnectionError]) -> None:
    """A connection that ends before a reply, and one that ends within it, are two things."""

    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(received)
        reader.feed_eof()
        await read_reply(reader)

    with pytest.raises(error):
        asyncio.run(read())


def test_what_is_left_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs, a port that is taken, a file and a Unix socket are each named."""
    monkeypatch.setattr(leftovers, "_PATIENCE", 0.0)
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = leftovers.leftovers({os.getpid()}, [port], tmp_path, tmp_path / "file")
    assert [text.partition(" is ")[0].partition(" still ")[0] for text in found] == [
        f"process {os.getpid()}",
        f"port {port}",
        "the file file",
        "the Unix socket file",
    ]
    assert not leftovers.leftovers(set(), [port], tmp_path / "none", None)
