"""How long the parts of a stop may take, in seconds, beside the operator's ``--graceful-shutdown-seconds``."""

from __future__ import annotations

from typing import Final

__all__ = ["AFTER_DRAIN", "FORCE_AFTER", "LAST_WORDS", "LINGER", "MARGIN"]

LINGER: Final = 0.5
"""What a stop leaves to a silent connection: a request may be on its way."""
AFTER_DRAIN: Final = 2.0
"""What connections and services have beyond the budget of running replies: the host cuts these off, and says so."""
LAST_WORDS: Final = 1.0
"""What has been cancelled has this long to end."""
MARGIN: Final = 5.0
"""What a process has beyond the budget of running replies, to close its components."""
FORCE_AFTER: Final = 0.1
"""How long a stop that is to be at once waits, so that the reply to who asked for it leaves."""
