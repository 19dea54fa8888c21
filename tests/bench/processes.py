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

__all__ = ["Measured", "end", "host", "script"]

_HERE = Path(__file__).parent
_SHARED = str(_HERE.parent / "support")  # what these scripts share with the tests
_CPUCLOCK_SCHED = 2


@dataclass(frozen=True)
class Measured:
    """A server's process with all its children.

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
        """CPU seconds used so far, of all threads, ended ones too, in user and kernel mode."""
        # What clock_getcpuclockid(3) gives for a process: it counts nanoseconds where /proc counts hundredths.
        return sum(time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED) for pid in _tree(self.pid))

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in _tree(self.pid)]
        return sum(int(found[1]) for text in statuses if (found := re.search(r"VmRSS:\s+(\d+)", text))) / 1024


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _tree(int(child))


@contextmanager
def script(name: str, *args: str) -> Iterator[Measured]:
    """Run one of this folder's scripts, which says its port on its first line."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(_HERE / name), *args],
        stdout=subprocess.PIPE,
        text=True,
        env=_environment({"PYTHONPATH": _SHARED}),
    )
    assert process.stdout is not None
    try:
        yield Measured(process.pid, int(process.stdout.readline()), time.perf_counter() - began)
    finally:
        end(process)


@contextmanager
def host(folder: Path, *args: str, components: int = 1, **variables: str) -> Iterator[Measured]:
    """Run `jackfield serve` on a folder, and wait until it is ready."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "jackfield", "serve", "--manifests", str(folder), "--port", "0", *args],
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(variables),
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
        end(process)


def _environment(variables: dict[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return ours | {"JACKFIELD_DAPR_GRPC_PORT": "0", "JACKFIELD_METRICS_PORT": "0"} | variables


def end(process: subprocess.Popen[str]) -> None:
    """Stop a process, and read what it still says so that it can end."""
    process.terminate()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.read()
            pipe.close()
    process.wait(30)
