"""Writes a text in the form the patterns read: the same length, with one spelling of digits, blanks and hyphens.

Texts of models are full of non-breaking hyphens and blanks, and JSON writes a line break as a backslash and an ``n``
that would stand before a number like a letter. Every character is replaced by exactly one, so a place in the folded
text is the same place in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["AFTER_ISBN", "AFTER_STATE", "BETWEEN", "ESCAPE_LENGTH", "fold"]

BETWEEN = "\x00"
"""Stands between texts that are searched together; no pattern matches it."""
AFTER_STATE = "\x01"
"""Stands before a text that follows a state, a street address or the word zip."""
AFTER_ISBN = "\x02"
"""Stands before a text that follows the word ISBN."""

ESCAPE_LENGTH = 5
"""Characters of an unfinished escape that may be kept at most."""

_ESCAPE = re.compile(r'\\(?:["\\/nrt_]|u[0-9A-Fa-f]{4})')
_ESCAPE_OR_PART = re.compile(r'\\(?:["\\/nrt_]|u(?:[0-9A-Fa-f]{4}|[0-9A-Fa-f]{0,3}\Z)|\Z)')
_WHOLE_ESCAPES = {r"\/": "//", r"\_": "__"}

_MARKS = re.compile("[\x00-\x02]")


def _spellings() -> dict[int, str]:
    """Return what stands for which character: full-width ASCII, other digits, blanks and hyphens."""
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    for zero in (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50):
        table.update({zero + digit: str(digit) for digit in range(10)})
    table.update(dict.fromkeys((0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "))
    table.update(dict.fromkeys((*range(0x2010, 0x2014), 0x2212, 0xFE63), "-"))
    return table


_SPELLINGS: Mapping[int, str] = MappingProxyType(_spellings())


def fold(text: str, *, final: bool) -> str:
    """Return the text folded, without an unfinished escape at its end unless this is the end of the whole."""
    if not text.isascii():
        text = text.translate(_SPELLINGS)
    text = _MARKS.sub("\n", text)
    if "\\" not in text:
        return text
    if not final:
        part = next((m for m in _ESCAPE_OR_PART.finditer(text) if not _ESCAPE.fullmatch(m[0])), None)
        text = text if part is None else text[: part.start()]
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    """Return line breaks for an escape: they end everything; a slash or an underscore is itself."""
    return _WHOLE_ESCAPES.get(match[0]) or "\n" * len(match[0])
