"""Where the server listens: ports that are taken, TLS, Unix sockets, several workers."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import grpc
import pytest
import trustme
from dapr.proto.runtime.v1 import metadata_pb2

if TYPE_CHECKING:
    from tests.conftest import Served

PATIENCE = 20.0
GET_METADATA = "/dapr.proto.runtime.v1.Dapr/GetMetadata"


@dataclass
class Command:
    """A running `jackfield serve`, and what it has logged."""

    popen: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()

    def find(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Wait for as many lines of the log; returns the last match."""

        def found() -> list[re.Match[str]]:
            return [match for line in self.lines if (match := re.search(pattern, line))]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, PATIENCE), "".join(self.lines)
        return found()[count - 1]

    def stop(self) -> int:
        """Stop it; returns its exit code."""
        self.popen.terminate()
        return self.popen.wait(PATIENCE)


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Command]:
    command = [sys.executable, "-m", "jackfield", "serve", "--manifests", str(folder), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))}
    with subprocess.Popen(
        [*command, "--plugins", "grpc", *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as popen:
        try:
            yield Command(popen)
        finally:
            popen.kill()


def version(channel: grpc.Channel) -> str:
    """Ask for the host's version, once it answers."""
    call = channel.unary_unary(
        GET_METADATA,
        metadata_pb2.GetMetadataRequest.SerializeToString,
        metadata_pb2.GetMetadataResponse.FromString,
    )
    answer = call(metadata_pb2.GetMetadataRequest(), timeout=PATIENCE, wait_for_ready=True)
    return str(answer.runtime_version)


@pytest.fixture(name="taken")
def _taken() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        yield held


def test_a_port_that_was_asked_for_and_is_taken(taken: socket.socket, tmp_path: Path) -> None:
    """The log names port, cause and option; the host serves on but isn't ready, until the port is free."""
    port = taken.getsockname()[1]
    with serving(tmp_path, "--dapr-grpc-port", str(port)) as command:
        line = command.find("service can't be started")[0]
        assert line
        command.find(
            f"level=error .*plugin=grpc .*port {port} on 127.0.0.1 is taken by another program; stop it or choose "
            "another with --dapr-grpc-port"
        )
        taken.close()
        command.find("serving gRPC.*" + str(port))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert version(channel)
        assert command.stop() == 0


def test_the_default_port_is_no_reason_not_to_be_ready(unserved: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the option a taken port is a warning, and the host is ready: a second host is often started so."""
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        from jackfield_grpc import listening

        monkeypatch.setattr(listening, "DEFAULT_PORT", held.getsockname()[1])
        with unserved.serve(service_options={}):
            assert unserved.address == ""
            until(lambda: unserved.host.request("GET", "/v1.0/healthz").status == 204)


def test_a_port_that_was_asked_for_keeps_the_host_from_being_ready(unserved: Served, taken: socket.socket) -> None:
    """With the option a taken port shows in the health check."""
    with unserved.serve(service_options={"dapr-grpc-port": str(taken.getsockname()[1])}):
        health = unserved.host.request("GET", "/v1.0/healthz")
    assert health.json["message"] == "dapr is not ready: [grpc (failed)]"


def until(condition: Callable[[], object]) -> None:
    """Ask again and again; what is asked over HTTP has no signal to wait for."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.01)


@pytest.mark.parametrize("clients", ["any", "own"])
def test_tls(clients: str, tmp_path: Path) -> None:
    """The host's certificate serves gRPC too, and its CA decides which clients are let in."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    chain, key, ca = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    ca.write_bytes(authority.cert_pem.bytes())
    arguments = ["--host", "localhost", "--dapr-grpc-port", "0", "--tls-cert", str(chain), "--tls-key", str(key)]
    if clients == "own":
        arguments += ["--tls-client-ca", str(ca)]
    with serving(tmp_path, *arguments) as command:
        address = command.find(r"serving gRPC.*address=(\S+)")[1]
        own = authority.issue_cert("client@example.org")
        identity = {
            "private_key": own.private_key_pem.bytes(),
            "certificate_chain": own.cert_chain_pems[0].bytes(),
        }
        for shown in ({}, identity):
            credentials = grpc.ssl_channel_credentials(ca.read_bytes(), **shown)
            with grpc.secure_channel(address, credentials) as channel:
                if clients == "any" or shown:
                    assert version(channel)
                else:
                    call = channel.unary_unary(GET_METADATA, None, None)
                    with pytest.raises(grpc.RpcError):
                        call(b"", timeout=PATIENCE)
        assert command.stop() == 0


@pytest.fixture(name="sockets")
def _sockets() -> Iterator[Path]:
    """A folder with a short name: a Unix socket's path has 107 bytes at most, and pytest's folders may be deep."""
    with TemporaryDirectory(prefix="jackfield-", dir="/tmp") as folder:
        yield Path(folder)


def test_daprd_s_folder_for_sockets(tmp_path: Path, sockets: Path) -> None:
    """--unix-domain-socket has gRPC listen on daprd's path; what a dead host left there is replaced."""
    path = sockets / "dapr-shop-grpc.socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    arguments = ("--unix-domain-socket", str(sockets), "--app-id", "shop")
    with serving(tmp_path, *arguments) as command:
        command.find(f"serving gRPC.*unix:{path}")
        with grpc.insecure_channel(f"unix:{path}") as channel:
            assert version(channel)
        assert command.stop() == 0


@pytest.mark.parametrize("way", ["file", "listener"])
def test_a_path_that_is_in_use_is_left_alone(way: str, tmp_path: Path, sockets: Path) -> None:
    """A file in the way stays, and so does the socket of a program that listens: grpcio alone would take it."""
    path = sockets / "dapr-shop-grpc.socket"
    with closing(socket.socket(socket.AF_UNIX)) as other:
        if way == "file":
            path.write_text("mine")
        else:
            other.bind(str(path))
            other.listen()
        with serving(tmp_path, "--unix-domain-socket", str(sockets), "--app-id", "shop") as command:
            command.find(f"service can't be started.*can't listen on {path}")
            assert command.stop() == 0
        assert path.exists()


def test_another_worker_takes_the_port_over(tmp_path: Path) -> None:
    """With two workers one has the port; killed, it is followed by another on the same one, and clients go on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        port = held.getsockname()[1]
    with serving(tmp_path, "--workers", "2", "--dapr-grpc-port", str(port)) as command:
        command.find("serving gRPC")
        command.find(r"msg=worker started .*worker=2|worker started.*worker=2")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert version(channel)
            first = int(command.find(r"serving gRPC.* pid=(\d+)")[1])
            os.kill(first, signal.SIGKILL)
            second = int(command.find(r"serving gRPC.* pid=(\d+)", count=2)[1])
            assert second != first
            with suppress(grpc.RpcError):
                version(channel)  # the connection's end may reach the client with this call
            assert version(channel)
        assert command.stop() == 0
