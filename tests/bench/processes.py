"""The processes of a measurement, and what the kernel says of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Measured", "host", "script"]

_HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """A server process.

    Attributes:
        pid: its process id.
        port: where it listens.
        started: seconds from its start to its first readiness.
    """

    pid: int
    port: int
    started: float = 0.0

    @property
    def cpu(self) -> float:
        """CPU seconds used so far, of all its threads, in user and kernel mode."""
        # schedstat counts nanoseconds where stat counts hundredths of a second.
        return (
            sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat")) / 1e9
        )

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


@contextmanager
def script(name: str, *args: str) -> Iterator[Measured]:
    """Run one of this folder's scripts, which says its port on its first line."""
    process = subprocess.Popen(
        [sys.executable, str(_HERE / name), *args], stdout=subprocess.PIPE, text=True, env=_environment()
    )
    assert process.stdout is not None
    try:
        yield Measured(process.pid, int(process.stdout.readline()))
    finally:
        _end(process)


@contextmanager
def host(folder: Path, *args: str, components: int = 1) -> Iterator[Measured]:
    """Run `jackfield serve` on a folder, and wait until it is ready."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "jackfield", "serve", "--manifests", str(folder), "--port", "0", *args],
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    assert process.stderr is not None
    port, loaded, seen = 0, 0, []
    try:
        for line in process.stderr:
            seen.append(line)
            if found := re.search(r"msg=serving .*url=http://127\.0\.0\.1:(\d+)", line):
                port = int(found[1])
            loaded += "component loaded" in line
            if port and loaded >= components:
                break
        else:
            raise RuntimeError("the host did not start:\n" + "".join(seen))
        yield Measured(process.pid, port, time.perf_counter() - began)
    finally:
        _end(process)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.read()
            pipe.close()
    process.wait(30)
