"""Signals that end the process, whatever its event loop does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from types import FrameType

__all__ = ["end_on_second"]

_GRACE = 0.5


def end_on_second(numbers: Sequence[int]) -> None:
    """See to it that a second signal ends the process though its event loop is blocked, with code 1.

    The event loop has handlers for these signals already, and acts on them when it comes to it. Python calls this one
    between two lines of whatever the main thread does; only code that never returns to Python keeps it waiting.

    Args:
        numbers: the signals.
    """
    seen = 0

    def handle(_: int, __: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if seen > 1:
            timer = threading.Timer(_GRACE, os._exit, (1,))
            timer.daemon = True
            timer.start()

    for number in numbers:
        signal.signal(number, handle)
