"""What the commands that ask a running host do when it answers otherwise, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jackfield.cli.client import Answer, HostError, RunningHostClient


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    """Run a server that gives one client these bytes, whatever it asks; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(data)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def ask(url: str, token: str = "") -> Answer:
    """Ask for the metadata."""
    return RunningHostClient(url, token, 10).request("GET", "/v1.0/metadata")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:3500",
        "ftp://localhost",
        "http://",
        "http://host:port",
        "unix:",
        "unix://folder/socket",
        "http://[",
    ],
)
def test_a_url_of_another_form_is_refused_with_those_that_are_taken(url: str) -> None:
    """A URL that can't be one of a host is told from a host that isn't there."""
    with pytest.raises(HostError) as caught:
        ask(url)
    forms = "is not http://HOST:PORT, https://HOST:PORT or unix:/PATH, such as http://127.0.0.1:3500"
    assert str(caught.value) == f"--url: {url!r} {forms}"


def test_a_port_without_a_host_is_told_with_the_command_that_starts_one() -> None:
    """Where nothing listens, the text names the URL, the reason and the next command."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(HostError) as caught:
        ask(url)
    fix = "start one with `jackfield serve`, or say with --url where it listens"
    assert str(caught.value) == f"no host answers at {url} (Connection refused); {fix}"


def test_a_unix_socket_that_is_not_there_is_told_like_a_port(tmp_path: object) -> None:
    """A missing socket file is named."""
    with pytest.raises(
        HostError, match=rf"^no host answers at unix:{tmp_path}/none \(No such file or directory\); start"
    ):
        ask(f"unix:{tmp_path}/none")


REPLIES = [
    pytest.param(b"SSH-2.0-OpenSSH\r\n", "doesn't speak HTTP as it should (BadStatusLine); correct --url", id="ssh"),
    pytest.param(b"", "broke before the answer was whole (RemoteDisconnected)", id="nothing"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
        "broke before the answer was whole (IncompleteRead)",
        id="half",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>", "no JSON object: what listens there is no", id="html"
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", "no JSON object", id="list"),
    pytest.param(
        b"HTTP/1.1 502 Bad\r\ncontent-length: 7\r\n\r\nno\nluck", "the host answered 502: no luck", id="proxy"
    ),
    pytest.param(b"HTTP/1.1 503 Bad\r\ncontent-length: 0\r\n\r\n", "the host answered 503", id="empty"),
    pytest.param(
        b'HTTP/1.1 400 Bad\r\ncontent-length: 33\r\n\r\n{"errorCode":"ERR","message":"m"}', "ERR: m", id="error code"
    ),
]


@pytest.mark.parametrize(("data", "text"), REPLIES)
def test_an_answer_that_is_none_is_told_in_one_line(data: bytes, text: str) -> None:
    """Whatever listens at the URL, the text says what came of it."""
    with answering(data) as url, pytest.raises(HostError) as caught:
        ask(url).json()
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plain_http_where_tls_was_meant_is_told() -> None:
    """An https URL of a server that speaks plain HTTP is not taken for a missing host."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url, pytest.raises(HostError) as caught:
        ask(url.replace("http:", "https:"))
    assert str(caught.value).endswith("doesn't speak TLS; correct --url, or write http://")


def test_patience_has_an_end() -> None:
    """A host that takes the request and says nothing is given up after the time the command allows."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(HostError) as caught:
            RunningHostClient(url, patience=0.05).request("GET", "/")
    assert str(caught.value) == f"the host at {url} gave no answer within 0.05 s; see its log"


@pytest.mark.parametrize("token", ["two\r\nlines", "schlüssel"])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(token: str) -> None:
    """A token that can't be sent is named by its variable alone."""
    with pytest.raises(HostError) as caught:
        ask("http://127.0.0.1:1", token)
    assert str(caught.value) == "the token in DAPR_API_TOKEN can't be sent in a header; use printable ASCII"
