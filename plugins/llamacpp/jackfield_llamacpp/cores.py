"""How many threads may compute here without getting in each other's way.

The engine's threads wait for each other by spinning, so one more than there are cores makes all of them slow.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

__all__ = ["default_threads"]

_MOST = 8


def default_threads(root: Path = Path("/")) -> int:
    """Return the physical cores that this process may use, at most 8: memory is the limit beyond that.

    Args:
        root: where ``sys`` is found.
    """
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = len({_siblings(root, cpu) for cpu in allowed})
    return max(1, min(cores, _quota(root), _MOST))


def _siblings(root: Path, cpu: int) -> str:
    """Name a CPU's physical core; without the system's word for it, each CPU counts as one."""
    with suppress(OSError):
        return (root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    return str(cpu)


def _quota(root: Path) -> int:
    """Return the whole CPUs that a container's limit amounts to (cgroup v2, ``cpu.max``)."""
    with suppress(OSError, ValueError):
        most, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
        if most != "max":
            return max(1, math.floor(int(most) / int(period)))
    return _MOST
