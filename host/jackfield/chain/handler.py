"""The two shapes that everything on a request's way has."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TypeAlias

from jackfield.events import Event
from jackfield.messages import ConversationRequest

__all__ = ["Handler", "Stage", "fold"]

Handler: TypeAlias = Callable[[ConversationRequest], AsyncGenerator[Event, None]]
"""Answers a request with events: one ``Result``, or ``Delta*``, a ``Finish`` per choice and at most one ``Usage``."""

Stage: TypeAlias = Callable[[Handler], Handler]
"""Wraps the handler further in. A stage with nothing to do returns its argument; one that iterates the inner handler
closes it (``contextlib.aclosing``), because closing the outer one does not."""


def fold(stages: tuple[Stage, ...], innermost: Handler) -> Handler:
    """Wrap ``innermost`` in the stages, the first of them outermost."""
    handler = innermost
    for stage in reversed(stages):
        handler = stage(handler)
    return handler
