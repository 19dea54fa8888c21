"""Workers that live and do nothing: their event loop has stood still for so long that nobody waits for it any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from jackfield.serving.slot import Slot
from jackfield.serving.watchdog import ALIVE_EVERY

__all__ = ["kill_stuck"]

_LOOK = 1.0
_log = logging.getLogger("jackfield.parent")


async def kill_stuck(slots: Sequence[Slot], limit: float) -> None:
    """Kill workers whose event loop stands still; the parent replaces them as it does any that die.

    Only time counts in which the parent itself runs and the worker may: not while a machine sleeps, a container is
    frozen, or a debugger holds the worker. A worker that hasn't started to serve is left alone.

    Args:
        slots: the workers' places; the parent's own list.
        limit: seconds; 0 kills none.
    """
    looked = monotonic()
    while True:
        await asyncio.sleep(_LOOK)
        now = monotonic()
        counted, looked = min(now - looked, 2 * _LOOK), now
        for slot in slots:
            heard, slot.heard = slot.heard, False
            if heard or not slot.started or not slot.running or _held(slot.pid):
                slot.silent = 0.0
                continue
            slot.silent += counted
            stood = slot.silent - ALIVE_EVERY  # it may have run until its next word was due
            if 0 < limit <= stood:
                about = {"worker": slot.worker, "pid": slot.pid, "seconds": stood}
                fix = "see the worker's own line for the plugin; --worker-timeout sets the limit"
                _log.error("a worker's event loop stands still; it is killed and replaced", extra=about | {"fix": fix})
                slot.kill()
                slot.silent = 0.0  # one that the kernel doesn't let die is told of again when the limit is over again


def _held(pid: int) -> bool:
    """Whether a process is stopped by a signal or a debugger, as far as the operating system tells."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"T", "t"}
    return False
