"""Signed thinking on its way through a client's tool calls."""

from __future__ import annotations

from base64 import b64encode

import pytest

from jackfield import ReasoningPart
from jackfield_bedrock.opaque import pack, reasoning_block, reasoning_part, unpack


def test_returns_without_text() -> None:
    """What a call carries has every signature and no readable text."""
    parts = [ReasoningPart("I think of Bremen.", "sig-1"), ReasoningPart("unsigned"), ReasoningPart("", "sig-2")]
    carried = pack(parts)
    assert carried.startswith("bedrock:")
    assert unpack(carried) == [ReasoningPart("", "sig-1"), ReasoningPart("", "sig-2")]


def test_nothing_signed() -> None:
    """A call carries nothing where nothing is signed."""
    assert pack([ReasoningPart("hm")]) == ""


@pytest.mark.parametrize(
    "foreign",
    ["", "anthropic:abc", "bedrock:!!", "bedrock:abc", "bedrock:" + b64encode(b"[1]").decode(), "bedrock:ü"],
)
def test_foreign_or_damaged(foreign: str) -> None:
    """Another provider's data, and data that was damaged on its way, are left alone."""
    assert unpack(foreign) == []


def test_encrypted_thinking() -> None:
    """A block that is encrypted as a whole returns byte for byte."""
    block = {"redactedContent": b"\x00\xffsecret"}
    part = reasoning_part(block)
    assert part.text == ""
    assert reasoning_block(part) == {"reasoningContent": block}


def test_damaged_encrypted_thinking() -> None:
    """A block that can't be read any more is left out."""
    assert reasoning_block(ReasoningPart("", "redacted:???")) is None
