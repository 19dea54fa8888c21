"""How a process stands, as the kernel tells it: memory, descriptors, threads, sockets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Vitals", "socket_states", "vitals_of"]


@dataclass(frozen=True)
class Vitals:
    """A process at one moment.

    Attributes:
        pid: its id.
        memory: resident memory in MiB.
        threads: how many threads it has.
        descriptors: what its descriptors point to, in order; a socket's or pipe's own number is left out.
    """

    pid: int
    memory: float
    threads: int
    descriptors: tuple[str, ...]


def socket_states(port: int) -> Counter[str]:
    """Count a server's connections by state, as the kernel numbers them, but for those that nobody holds any more."""
    states: Counter[str] = Counter()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if int(local.partition(":")[2], 16) == port and state not in _OVER:
            states[state] += 1
    return states


_OVER = ("06", "0A")
"""TIME_WAIT, and the listening socket."""


def vitals_of(pid: int) -> Vitals:
    """Look at a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = {name: int(value) for name, value in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE)}
    descriptors = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile
        descriptors.append(target.partition(":[")[0])
    return Vitals(pid, found["VmRSS"] / 1024, found["Threads"], tuple(sorted(descriptors)))
