"""Masking inside the arguments of a tool call, which are JSON text and stay so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

__all__ = ["masked_arguments"]

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"([ \t\n\r]*+:)?', re.DOTALL)
"""A string of a JSON text; with a colon behind it, it is a member's name."""


def masked_arguments(arguments: str, mask: Callable[[str], str]) -> str:
    """Mask the string values, each on its own; everything else keeps its spelling to the letter.

    Members' names and numbers stay: the tool's schema fixes the ones, and the others have no place for a label. Text
    that isn't JSON, as models write it now and then, is masked as a whole.

    Args:
        arguments: the JSON text.
        mask: masks a text; gives it back as it is if there is nothing to mask.
    """
    if not _is_json(arguments):
        return mask(arguments)

    def put(found: re.Match[str]) -> str:
        written = found[0]
        if found[1] is not None:
            return written
        text = json.loads(written, strict=False) if "\\" in written else written[1:-1]
        shown = mask(text)
        return written if shown == text else _written(shown)

    return _STRING.sub(put, arguments)


def _is_json(text: str) -> bool:
    try:
        # Numbers aren't looked at: Python refuses very long ones. Line ends inside of strings are harmless here.
        json.loads(text, strict=False, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return False
    return True


def _written(text: str) -> str:
    # Half a surrogate pair can't be sent unless it is escaped.
    return json.dumps(text, ensure_ascii=any("\ud800" <= character <= "\udfff" for character in text))
