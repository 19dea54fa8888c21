"""What a reply's headers tell of how it came about."""

from __future__ import annotations

from time import perf_counter
from urllib.parse import quote

from jackfield.http.replies import Header
from jackfield.messages import Record

__all__ = ["DEBUG", "FACTS", "add_facts", "add_overhead", "overhead_ms"]

DEBUG = b"x-jackfield-debug"
"""A request that has this header, with any value, is told how the cache came to what it did."""

FACTS = (
    "age",
    "x-jackfield-cache",
    "x-jackfield-cache-key",
    "x-jackfield-cache-note",
    "x-jackfield-component",
    "x-jackfield-ignored",
    "x-jackfield-overhead-ms",
    "x-request-id",
)
"""The headers that pages of other origins may read."""


def add_facts(headers: list[Header], record: Record, *, debug: bool) -> None:
    """Add to a reply's headers what its record tells.

    Args:
        headers: the reply's.
        record: the facts of the request, which is done but for the sending.
        debug: whether the caller asked for the cache's key and note.
    """
    if record.served_by:
        headers.append((b"x-jackfield-component", _safe(record.served_by)))
    if record.cache:
        headers.append((b"x-jackfield-cache", record.cache.encode()))
        if record.cache_age is not None:
            headers.append((b"age", b"%d" % record.cache_age))
    if record.ignored:
        headers.append((b"x-jackfield-ignored", _safe(", ".join(record.ignored))))
    if debug:
        if record.cache_key:
            headers.append((b"x-jackfield-cache-key", _safe(record.cache_key)))
        if record.cache_note:
            headers.append((b"x-jackfield-cache-note", _safe(record.cache_note)))


def overhead_ms(record: Record) -> float:
    """Return the milliseconds that a request has taken beside those in which its provider was waited for."""
    return max(perf_counter() - record.started - record.provider_seconds, 0.0) * 1000


def add_overhead(headers: list[Header], record: Record) -> None:
    """Add to a whole reply's headers what the host itself has taken of its time."""
    headers.append((b"x-jackfield-overhead-ms", b"%.3f" % overhead_ms(record)))


def _safe(text: str) -> bytes:
    """Write a text as a header's value; one that is no printable ASCII is escaped as in a URL."""
    return text.encode() if text.isascii() and text.isprintable() else quote(text).encode()
