"""Signed and encrypted thinking on its way through a client and back.

Models that think want their reasoning blocks back with the tool calls that followed. A client that keeps the reasoning
parts returns them whole. For all others the first call of a reply carries what has been signed or encrypted: a mark
with this plugin's name, then JSON in base64. Readable text is never in it; a block that returns without its text has
its signature alone, which holds what the model needs.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from jackfield import ReasoningPart
from jackfield_bedrock.shapes import text

__all__ = ["pack", "reasoning_block", "reasoning_part", "unpack"]

_MARK: Final = "bedrock:"
_REDACTED: Final = "redacted:"


def reasoning_part(block: dict[str, Any]) -> ReasoningPart:
    """Read one of Converse's reasoning blocks; one that is encrypted has a signature and no text."""
    if (hidden := block.get("redactedContent")) is not None:
        return ReasoningPart("", _REDACTED + b64encode(hidden).decode())
    written = block.get("reasoningText") or {}
    return ReasoningPart(text(written.get("text")), text(written.get("signature")))


def reasoning_block(part: ReasoningPart) -> dict[str, Any] | None:
    """Write a reasoning part as one of Converse's blocks; None if nobody has signed it, as no model takes it then."""
    if not part.signature:
        return None
    if not part.signature.startswith(_REDACTED):
        return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}
    try:
        hidden = b64decode(part.signature.removeprefix(_REDACTED), validate=True)
    except binascii.Error:
        return None
    return {"reasoningContent": {"redactedContent": hidden}}


def pack(parts: Iterable[ReasoningPart]) -> str:
    """Return what a tool call carries of the reasoning before it; empty if none of it is signed."""
    signatures = [part.signature for part in parts if part.signature]
    return _MARK + urlsafe_b64encode(msgspec.json.encode(signatures)).decode() if signatures else ""


def unpack(opaque: str) -> list[ReasoningPart]:
    """Return the reasoning that a tool call carries; none if it is another provider's or has been damaged."""
    if not opaque.startswith(_MARK):
        return []
    try:
        signatures = msgspec.json.decode(urlsafe_b64decode(opaque.removeprefix(_MARK)), type=list[str])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return []
    return [ReasoningPart("", signature) for signature in signatures]
