"""Signed thinking in the form in which callers carry it: tagged, so that nobody else's data is taken for ours.

A signature holds its thinking in encrypted form, so the readable text need not come back with it (Anthropic's page
"Thinking", on omitted thinking). What is sealed here is what the API signed or encrypted, never readable text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from jackfield_anthropic.wire import RedactedContent, ThinkingContent

__all__ = ["Signed", "seal", "unseal"]


class _Sealed(Struct, omit_defaults=True, gc=False):
    signature: str = ""
    data: str = ""


class _Tagged(Struct):
    anthropic: list[_Sealed]


Signed: TypeAlias = ThinkingContent | RedactedContent

_decoder = msgspec.json.Decoder(_Tagged)


def seal(blocks: Sequence[Signed]) -> str:
    """Write blocks of thinking without their text; no blocks are an empty text."""
    if not blocks:
        return ""
    sealed = [
        _Sealed(data=block.data) if isinstance(block, RedactedContent) else _Sealed(signature=block.signature)
        for block in blocks
    ]
    return msgspec.json.encode(_Tagged(sealed)).decode()


def unseal(text: str) -> list[Signed]:
    """Read what ``seal`` wrote; anything else, such as another provider's data, gives no blocks."""
    if not text.startswith("{"):
        return []
    try:
        tagged = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []
    return [
        RedactedContent(sealed.data) if sealed.data else ThinkingContent("", sealed.signature)
        for sealed in tagged.anthropic
        if sealed.data or sealed.signature
    ]
