"""`jackfield serve` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Process", "serving"]

_PATIENCE = 30


@dataclass
class Process:
    """A running command, and what it has logged.

    Attributes:
        popen: the process.
        lines: the lines of its standard error so far.
        url: where it serves, as it says itself.
    """

    popen: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    url: str = ""

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
        with self._changed:
            self._changed.notify_all()

    @property
    def log(self) -> str:
        """All of its log."""
        return "".join(self.lines)

    @property
    def port(self) -> int:
        """The port in its URL."""
        return int(self.url.rpartition(":")[2])

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait for a line of the log."""
        expression = re.compile(pattern)

        def found() -> re.Match[str] | None:
            return next((match for line in list(self.lines) if (match := expression.search(line))), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self.popen.poll() is not None, _PATIENCE)
        match = found()
        assert match is not None, f"no {pattern!r} in:\n{self.log}"
        return match

    def main_thread_cpu(self) -> float:
        """CPU seconds of the main thread, where the event loop runs, as the kernel counts them."""
        text = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/schedstat").read_text()
        return int(text.split()[0]) / 1e9

    def peak_memory(self) -> int:
        """The most resident memory that it has had so far, in bytes, as the kernel has it."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.popen.send_signal(number)

    def exit_code(self) -> int:
        """Wait for its end."""
        code = self.popen.wait(_PATIENCE)
        self._reader.join(_PATIENCE)
        return code


@contextmanager
def serving(
    folder: Path, *args: str, ready: str = "Running on|running on|serving", **variables: str
) -> Iterator[Process]:
    """Run `jackfield serve` on a folder and a free port; it is killed at the end if it still runs."""
    command = [sys.executable, "-m", "jackfield", "serve", "--manifests", str(folder), "--port", "0", *args]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))}
    # Hosts of several tests run side by side: their services take whatever port is free.
    ports = {"JACKFIELD_DAPR_GRPC_PORT": "0", "JACKFIELD_METRICS_PORT": "0"}
    popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment | ports | variables)
    process = Process(popen)
    try:
        process.url = process.wait_for(r"msg=serving .*?url=(\S+)")[1]
        yield process
    finally:
        if popen.poll() is None:
            popen.send_signal(signal.SIGKILL)
        popen.wait(_PATIENCE)
        process._reader.join(_PATIENCE)
        assert popen.stderr is not None
        popen.stderr.close()
