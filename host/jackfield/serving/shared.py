"""The metadata document's ``extended`` values, which every worker shows before the one who sets them hears of it."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.serving.frames import Extended, MetadataSet, SetMetadata, encode
from jackfield.serving.slot import Slot

__all__ = ["SharedValues"]


class SharedValues:
    """Keeps the values, and answers who set one once all show it. The parent owns it.

    Args:
        slots: the workers' places; the parent's own list.
    """

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._slots = slots
        self._values: dict[str, str] = {}
        self._version = 0
        self._unacknowledged: list[tuple[int, Slot, int]] = []

    def greet(self, slot: Slot) -> None:
        """Tell a process that has just started what the others know."""
        slot.tell("extended", encode(Extended(self._version, self._values)))

    def set(self, slot: Slot, wish: SetMetadata) -> None:
        """Take a value that a worker was given, and tell all of it."""
        self._values[wish.key] = wish.value
        self._version += 1
        self._unacknowledged.append((self._version, slot, wish.request))
        data = encode(Extended(self._version, self._values))
        for each in self._slots:
            each.tell("extended", data)

    def applied(self, slot: Slot, version: int) -> None:
        """Note which values a worker shows."""
        slot.applied = version
        self._acknowledge()

    def forget(self, slot: Slot) -> None:
        """Wait no more for what a process that is gone would have said."""
        self._unacknowledged = [waiting for waiting in self._unacknowledged if waiting[1] is not slot]
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Answer the requests whose values every worker shows."""
        shown = min((slot.applied for slot in self._slots if slot.attached), default=0)
        for version, asker, request in self._unacknowledged:
            if version <= shown and asker.channel is not None:
                asker.channel.send(MetadataSet(request))
        self._unacknowledged = [waiting for waiting in self._unacknowledged if waiting[0] > shown]
