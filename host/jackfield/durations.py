"""Durations as Go writes them (``time.ParseDuration``), in seconds.

The same text means different things in different places, so there is one function per place (contract sheet,
sections 1.2, 4.3 and 7.1).
"""

from __future__ import annotations

import re

__all__ = ["format_go", "parse_go", "parse_metadata", "parse_proto", "parse_resiliency"]

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_DURATION = re.compile(rf"[+-]?(?:{_TERM})+", re.ASCII)
_TERMS = re.compile(_TERM, re.ASCII)
_LONGEST = 2**63 / 1e9
_LONGEST_TEXT = 128


def parse_go(text: str) -> float:
    """Read a Go duration such as ``1h30m`` or ``250ms``; ``0`` alone is zero.

    Returns:
        Seconds; negative if the text says so.

    Raises:
        ValueError: the text is no duration; the message shows the form that is.
    """
    if text in {"0", "+0", "-0"}:
        return 0.0
    if len(text) > _LONGEST_TEXT or not _DURATION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a duration; write a number with a unit, such as 10m, 1h30m or 500ms")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _TERMS.findall(text))
    if seconds >= _LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than a duration can be (about 292 years)")
    return -seconds if text[0] == "-" else seconds


def parse_metadata(text: str) -> float:
    """Read a duration in a component's metadata: Go's form, or a bare integer of seconds; empty is zero.

    Raises:
        ValueError: the text is neither.
    """
    text = text.strip()
    if not text:
        return 0.0
    return float(text) if re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII) else parse_go(text)


def parse_resiliency(text: str) -> float:
    """Read a duration in a Resiliency manifest: Go's form, or a bare integer of milliseconds.

    Returns:
        Seconds, 0 or more.

    Raises:
        ValueError: the text is neither, or below zero.
    """
    text = text.strip()
    seconds = int(text) / 1000 if re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII) else parse_go(text)
    if seconds < 0:
        raise ValueError(
            f"{text[:40]!r} is below zero; write a duration such as 30s, or a whole number of milliseconds"
        )
    return seconds


def parse_proto(text: str) -> float:
    """Read a duration in a request: protojson's ``86400s``, or Go's form.

    Raises:
        ValueError: the text is neither.
    """
    return parse_go(text)


def format_go(seconds: float) -> str:
    """Write seconds as Go does: ``24h0m0s``, ``1.5s``, ``250ms``."""
    if seconds == 0:
        return "0s"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 1:
        for unit, size in (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
            if seconds >= size:
                return f"{sign}{_plain(seconds / size)}{unit}"
        return "0s"
    whole, rest = divmod(round(seconds, 9), 60)
    text = f"{_plain(rest)}s"
    hours, minutes = divmod(int(whole), 60)
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


def _plain(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
