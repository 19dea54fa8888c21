"""A client that reads slowly gets its reply whole, and holds up nobody."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from raw_http import converse_path, message, said
from running import RunningHost, component

from jackfield.serving.network import Network

SIZE = 3 << 20


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
@pytest.mark.parametrize("api", ["alpha1", "alpha2"])
def test_a_slow_reader_gets_all_and_others_do_not_wait(tmp_path: Path, server: str, api: str) -> None:
    """While 3 MB stand before a client that reads a little, others are served; then the rest of it arrives."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, Network(port=0, server=server)) as host:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(30)
        slow.connect(("127.0.0.1", host.port))
        text = "0123456789abcdef" * (SIZE // 16)
        slow.sendall(message("POST", converse_path("echo", api), said(text, api), "Connection: close"))
        received = bytearray(slow.recv(1000))
        assert received.startswith(b"HTTP/1.1 20")
        for turn in range(5):
            assert host.converse("echo", f"quick {turn}", api=api).status in {200, 202}
            received += slow.recv(1000)
        assert len(received) < SIZE
        while piece := slow.recv(1 << 16):
            received += piece
        slow.close()
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head.lower()
    output = json.loads(body)["outputs"][0]
    assert (output["result"] if api == "alpha1" else output["choices"][0]["message"]["content"]) == text


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_reader_that_leaves_in_the_middle_harms_nobody(
    tmp_path: Path, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that closes while its reply is being sent is forgotten, and the host stops in time."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, Network(port=0, server=server)) as host:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", host.port))
        slow.sendall(message("POST", converse_path("echo"), said("x" * SIZE)))
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        slow.close()
        assert host.converse("echo").status == 200
        assert not host.host.running
    assert [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}] == []
