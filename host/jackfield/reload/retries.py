"""When a failed build is tried again: after 1 s, then twice as long each time, up to a minute."""

from __future__ import annotations

from time import monotonic

__all__ = ["Retries"]

_FIRST, _LONGEST = 1.0, 60.0


class Retries:
    """The failed builds and their next turns."""

    def __init__(self) -> None:
        self._waits: dict[str, tuple[float, float]] = {}

    def failed(self, name: str) -> None:
        """Note a failure; the wait until the next turn doubles."""
        wait = min(self._waits[name][0] * 2, _LONGEST) if name in self._waits else _FIRST
        self._waits[name] = (wait, monotonic() + wait)

    def drop(self, name: str) -> None:
        """Forget a name: its build succeeded, or its manifest is another one now."""
        self._waits.pop(name, None)

    def due(self) -> set[str]:
        """The names whose turn has come."""
        now = monotonic()
        return {name for name, (_, turn) in self._waits.items() if turn <= now}
