"""Connections at both servers: who leaves takes nothing of the host's with it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from running import RunningHost, component

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


def test_a_stop_leaves_a_new_connection_its_first_request(tmp_path: Path) -> None:
    """Who was let in just before the stop is answered; a connection that was idle between requests is closed."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path) as host, host.connect() as new, host.connect() as idle:
        for connection in (new, idle):
            connection.settimeout(10)
        idle.sendall(_REQUEST)
        assert b"204" in idle.recv(1000)  # and so the other one, which came before, has been let in
        host.stop()
        assert idle.recv(1000) == b""
        new.sendall(_REQUEST)
        assert b"204" in new.recv(1000)
