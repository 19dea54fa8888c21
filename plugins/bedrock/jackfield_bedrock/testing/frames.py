"""The encoding of AWS's event streams."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

import msgspec

__all__ = ["event_frame", "frames"]


def frames(events: Iterable[tuple[str, Mapping[str, Any]]]) -> list[bytes]:
    """Write events as frames of AWS's event stream, each with its name and JSON payload."""
    return [
        event_frame(
            {":event-type": name, ":content-type": "application/json", ":message-type": "event"},
            msgspec.json.encode(payload),
        )
        for name, payload in events
    ]


def event_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Write one frame: lengths, their checksum, headers, payload, the frame's checksum.

    The encoding is that of "Event stream encoding" in Amazon Transcribe's developer guide.
    """
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    frame = lengths + struct.pack("!I", crc32(lengths)) + head + payload
    return frame + struct.pack("!I", crc32(frame))
