"""What a process leaves behind when it has ended: processes, sockets, files."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["alive", "descendants", "leftovers"]

_PATIENCE = 10.0


def descendants(pid: int) -> set[int]:
    """List the processes that a process has started, and those have started."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent to look doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def leftovers(
    pids: set[int], ports: list[int], temporary: Path, unix: Path | None, *, killed: bool = False
) -> list[str]:
    """Say what is left of a process; empty if nothing is.

    Args:
        pids: the processes that belonged to it.
        ports: the TCP ports on which it listened.
        temporary: its own folder for temporary files.
        unix: the Unix socket on which it listened.
        killed: whether it was ended at once. The workers' counters then stay, until another host of the same user takes
            them away.
    """
    end = time.monotonic() + _PATIENCE
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.01)  # a child that was killed with its parent has no signal for us
    found = [f"process {pid} still runs" for pid in sorted(pids) if alive(pid)]
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended don't count
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError as error:
                found.append(f"port {port} is still taken ({error.strerror})")
    left = [path for path in temporary.rglob("*") if not (killed and "jackfield-metrics-" in str(path))]
    found += [f"the file {path.name} is still in the folder for temporary files" for path in left]
    if unix is not None and unix.exists():
        found.append(f"the Unix socket {unix.name} is still there")
    return found
