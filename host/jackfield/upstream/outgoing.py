"""Headers that a stage adds to the calls of the request that runs: a trace's context, an audit's number."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from multidict import CIMultiDict

__all__ = ["outgoing_headers", "with_outgoing"]

outgoing_headers: Final[ContextVar[Mapping[str, str] | None]] = ContextVar("outgoing_headers", default=None)
"""Sent with every call that a component makes while it is set; None for nothing more than the component's own headers.

A stage sets it around what it awaits of the handler further in, and resets it. A header that the component has already
stays the component's.
"""


def with_outgoing(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    """Return a component's headers with those that are added to this call; the same object if there are none."""
    added = outgoing_headers.get()
    if added is None:
        return headers
    joined = headers.copy()
    for name, value in added.items():
        joined.setdefault(name, value)
    return joined
