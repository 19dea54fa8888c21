"""Headers that a stage adds to the calls of the request that runs: a trace's context, an audit's number."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

__all__ = ["outgoing_headers"]

outgoing_headers: Final[ContextVar[Mapping[str, str] | None]] = ContextVar("outgoing_headers", default=None)
"""Sent with every call that a component makes while it is set; None for nothing more than the component's own headers.

A stage sets it around what it awaits of the handler further in, and resets it. A header that the component has already
stays the component's.
"""
