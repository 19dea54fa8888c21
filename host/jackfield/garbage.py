"""How often Python looks for garbage while a host serves."""

from __future__ import annotations

import gc

__all__ = ["Garbage"]

_SELDOM = (10_000, 20, 20)
"""When it is collected (``gc.set_threshold``). Requests leave few cycles, and Python's own 700 objects are made within
a few requests: looking through those that run, again and again, took a twentieth of their CPU."""


class Garbage:
    """Has Python collect seldom, and as before when the host is closed: the process may be another's, or a test's."""

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None

    def collect_seldom(self) -> None:
        """Collect once more; what stays, stays as long as the host, and is not looked at again and again."""
        gc.collect()
        gc.freeze()
        if gc.get_threshold() != _SELDOM:  # another host of this process has seen to it, and undoes it
            self._before = gc.get_threshold()
            gc.set_threshold(*_SELDOM)

    def collect_as_before(self) -> None:
        """Undo it. What was made until the start may be garbage now, and is collected again."""
        gc.unfreeze()
        if self._before is not None:
            gc.set_threshold(*self._before)
            self._before = None
