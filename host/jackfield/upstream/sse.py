"""Server-sent events, of which only the data matters here (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from typing import Final

from jackfield.errors import ProviderError

__all__ = ["LARGEST_EVENT", "EventParser"]

LARGEST_EVENT: Final = 4 * 1024 * 1024
"""Bytes of one event that are held in memory."""

_BOM = b"\xef\xbb\xbf"


class EventParser:
    """Splits a byte stream, cut anywhere, into the data of its events.

    Lines end in LF, CRLF or CR; several data lines of one event are joined with LF; comments and all other fields are
    skipped. Bytes are decoded by whoever reads the data, so a character cut in two does no harm.
    """

    def __init__(self, *, largest_event: int = LARGEST_EVENT) -> None:
        self._largest_event = largest_event
        self._pieces: list[bytes] = []
        self._held = 0
        self._data: list[bytes] = []
        self._kept = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the data of the events they complete.

        Raises:
            ProviderError: an event is larger than allowed.
        """
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._after_cr = False
        if not chunk:
            return []
        self._held += len(chunk)
        events: list[bytes] = []
        if b"\n" in chunk or b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            lines = b"".join([*self._pieces, chunk]).splitlines(keepends=True)
            self._pieces = [] if lines[-1].endswith((b"\n", b"\r")) else [lines.pop()]
            for line in lines:
                self._take(line.rstrip(b"\r\n"), events)
            self._held = sum(map(len, self._pieces)) + self._kept
        else:
            self._after_cr = False
            self._pieces.append(chunk)
        if self._held > self._largest_event:
            raise ProviderError(f"an event of the provider's stream is larger than {self._largest_event} bytes")
        return events

    def rest(self) -> bytes:
        """Return the data of an event that the end of the stream left without its blank line, empty if none is."""
        events: list[bytes] = []
        if self._pieces:
            self._take(b"".join(self._pieces), events)
        self._pieces = []
        data, self._data, self._kept = b"\n".join(self._data), [], 0
        return data

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data, self._kept = [], 0
        elif line.startswith(b"data:"):
            self._keep(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            self._keep(b"")

    def _keep(self, data: bytes) -> None:
        self._data.append(data)
        self._kept += len(data) + 1  # counted as it comes: an event may be made of millions of lines, even empty ones
