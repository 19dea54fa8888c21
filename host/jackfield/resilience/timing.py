"""Time and chance, which a test brings its own of."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

__all__ = ["REAL", "Timing"]


class Timing(NamedTuple):
    """Where retries and breakers take time and chance from.

    Attributes:
        clock: seconds that only rise.
        sleep: waits for some seconds.
        chance: a number from 0 to 1, 1 left out.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


REAL = Timing()
