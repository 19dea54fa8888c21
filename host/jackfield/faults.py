"""Telling a plugin's own fault from a signal that is meant for the host."""

from __future__ import annotations

import asyncio

__all__ = ["is_fault"]


def is_fault(error: BaseException) -> bool:
    """Tell whether what a plugin's code let out ends only what it was asked for, and not the host.

    That is every ``Exception``, and also ``SystemExit`` and the ``CancelledError`` of a task of the plugin's own:
    asyncio would end the process for the one, and take the other for the end of the host's own task.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, Exception | SystemExit)
