"""How a provider's opaque data returns with a tool call: as a part of the call's id.

A client builds its next turn from the fields that its SDK knows. Of those the id is the only one that no client reads
and every client returns, in the call and in its result; so a front end writes the data behind it and takes it off
again, and no process has to remember anything.
"""

from __future__ import annotations

from jackfield.messages import ToolCall

__all__ = ["carried_id", "split_id"]

_MARK = "~opaque~"


def carried_id(call: ToolCall) -> str:
    """Return a call's id with what its provider wants back."""
    return f"{call.id}{_MARK}{call.opaque}" if call.opaque else call.id


def split_id(text: str) -> tuple[str, str]:
    """Return the provider's own id, and the opaque data; empty if there is none."""
    own, _, opaque = text.partition(_MARK)
    return own, opaque
