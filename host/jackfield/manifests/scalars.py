"""What a plain YAML scalar means: the rules of Go's YAML 1.1, which daprd reads its manifests with.

They are those of go-yaml v2 in ``sigs.k8s.io/yaml``: ``yes``, ``on`` and ``y`` are booleans, ``0123`` is octal,
``0x1f``, ``0o17`` and ``0b11`` are integers, ``08`` is a float, and dates and ``1:30`` stay text.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TypeAlias

__all__ = ["JSON", "go_text", "resolve"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

_WORDS: dict[str, bool | float | None] = (
    dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True)
    | dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False)
    | dict.fromkeys(["", "~", "null", "Null", "NULL"], None)
    | dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan)
    | dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf)
    | dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf)
)
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)|0[oO]?(?P<octal>[0-7]+)|(?P<plain>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "plain": 10}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 400
_PLAIN_DIGITS = 6


def resolve(text: str) -> bool | int | float | str | None:
    """Return the value of a plain (unquoted, untagged) scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    digits = text if text[0] == "." else text.replace("_", "")
    if match := _INTEGER.fullmatch(digits):
        group = match.lastgroup or "plain"
        number = int(match[group], _BASES[group]) * (-1 if match["sign"] == "-" else 1)
        if -(2**63) <= number < 2**64 or not _FLOAT.fullmatch(digits):
            return number
    if _FLOAT.fullmatch(digits) and math.isfinite(value := float(digits)):
        return value
    return text


def go_text(value: bool | float | str | None) -> str:
    """Write a resolved scalar where text is wanted, as Go does: ``true``, ``83``, ``1.1``, ``1e+06``; none is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _go_float(value) if isinstance(value, float) else str(value)


def _go_float(value: float) -> str:
    """Write a float as ``strconv.FormatFloat(value, 'g', -1, 64)`` does."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) + int(exponent) - 1
    minus = "-" if sign else ""
    if value and not -4 <= power < _PLAIN_DIGITS:
        return f"{minus}{text[0]}{'.' if text[1:] else ''}{text[1:]}e{power:+03d}"
    return minus + format(Decimal(text).scaleb(int(exponent)), "f")
