"""How a process stands, as the kernel tells it: memory, descriptors, threads, sockets."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Vitals", "vitals_of"]


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

    @property
    def sockets(self) -> int:
        """How many of its descriptors are sockets."""
        return sum(what == "socket" for what in self.descriptors)


def vitals_of(pid: int) -> Vitals:
    """Look at a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = {name: int(value) for name, value in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE)}
    descriptors = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{entry}")
        except FileNotFoundError:
            continue  # closed meanwhile
        descriptors.append(target.partition(":[")[0])
    return Vitals(pid, found["VmRSS"] / 1024, found["Threads"], tuple(sorted(descriptors)))
