"""Telling a plugin's own fault from a signal that is meant for the host."""

from __future__ import annotations

import asyncio
import signal

__all__ = ["HostSignal", "is_fault", "text_of"]


class HostSignal(BaseException):
    """What the host raises through a plugin's code for itself; no fault, and no ``except Exception`` may stop it."""


def is_fault(error: BaseException) -> bool:
    """Tell whether what a plugin's code let out ends only what it was asked for, and not the host.

    That is whatever it may raise, ``SystemExit`` and the ``CancelledError`` of a task of the plugin's own too: asyncio
    would end the process for the one, and take the other for the end of the host's own task. Not so:

    - the ``GeneratorExit`` by which a generator is told to end, where it comes first;
    - the cancellation of the task that runs;
    - ``KeyboardInterrupt`` where Python makes it of Ctrl-C. A host that serves handles the signal itself: there it is
      the plugin's.
    """
    if isinstance(error, asyncio.CancelledError):
        try:
            task = asyncio.current_task()
        except RuntimeError:  # a thread without an event loop: nobody cancels it
            return True
        return task is not None and not task.cancelling()
    if isinstance(error, KeyboardInterrupt):
        return signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    if isinstance(error, GeneratorExit):
        # One that a plugin raises has come through its frames; the other begins in the frame that asks.
        return error.__traceback__ is not None and error.__traceback__.tb_next is not None
    return not isinstance(error, HostSignal)


def text_of(error: BaseException) -> str:
    """Return an exception's text, whatever its own ``__str__`` does."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  it is a plugin's, and may be as broken as the rest of it
        return "(its text can't be shown)"
