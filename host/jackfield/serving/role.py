"""Which worker runs the services that run once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jackfield.serving.frames import RunServices, encode
from jackfield.serving.slot import Slot

__all__ = ["ServiceRole"]


class ServiceRole:
    """Gives the services to one worker at a time: a port of theirs can't be shared. The parent owns it.

    Args:
        slots: the workers' places; the parent's own list.
        stopping: set once the host is to stop, after which nobody gets them.
    """

    def __init__(self, slots: Sequence[Slot], stopping: asyncio.Event) -> None:
        self._slots = slots
        self._stopping = stopping
        self._holder: Slot | None = None

    def offer(self) -> None:
        """Give the services to the first worker that serves, unless one has them."""
        if self._holder is None and not self._stopping.is_set():
            self._holder = next((slot for slot in self._slots if slot.attached and slot.started), None)
            if self._holder is not None:
                self._holder.tell("services", encode(RunServices()))

    def free(self, slot: Slot) -> None:
        """Give the services to another worker if a process had them that runs them no more."""
        if self._holder is slot:
            self._holder = None
            self.offer()
