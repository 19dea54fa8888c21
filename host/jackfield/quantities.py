"""Sizes as Kubernetes writes them (contract sheet, section 4.3)."""

from __future__ import annotations

import math
import re
from decimal import Decimal

__all__ = ["parse"]

_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<unit>[EPTGMKk]i?|[num]|[eE][+-]?\d{1,2})?", re.ASCII)
_POWERS = {unit: power for power, unit in enumerate("kMGTPE", start=1)}
_SMALL = {"m": -3, "u": -6, "n": -9}
_LARGEST = 2**63 - 1
_LONGEST_TEXT = 128  # reading a number takes the square of its digits


def parse(text: str) -> int:
    """Read a size such as ``64Mi``, ``1.5G``, ``10e6`` or ``4194304``.

    Returns:
        Bytes, rounded up to a whole one.

    Raises:
        ValueError: the text is no quantity, is negative, or is larger than 2**63 - 1.
    """
    text = text.strip()
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    unit = (match["unit"] or "") if match else ""
    if match is None or unit == "K":
        raise ValueError(f"{text[:40]!r} is not a size; write bytes, or a number with a unit such as 512Ki, 64Mi or 1G")
    size = math.ceil(Decimal(match["number"]) * _factor(unit))
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"{text[:40]!r} is {'negative' if size < 0 else 'too large'}; write a size such as 64Mi")
    return size


def _factor(unit: str) -> Decimal:
    if unit.endswith("i"):
        return Decimal(1024) ** _POWERS[unit[0].replace("K", "k")]
    if unit in _SMALL:
        return Decimal(10) ** _SMALL[unit]
    if unit[1:]:
        return Decimal(10) ** int(unit[1:])
    return Decimal(1000) ** _POWERS[unit] if unit else Decimal(1)
