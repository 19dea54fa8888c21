"""Bodies in chunks, as HTTP/1.1 frames them."""

from __future__ import annotations

__all__ = ["joined"]


def joined(chunked: bytes) -> bytes:
    """Put the chunks of a whole body together; their extensions are left out (RFC 9112, section 7.1)."""
    pieces: list[bytes] = []
    while True:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            return b"".join(pieces)
        pieces.append(chunked[:length])
        chunked = chunked[length + 2 :]
