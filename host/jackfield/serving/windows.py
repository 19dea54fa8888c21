"""Back-pressure over HTTP/2 at hypercorn: what is held for a reader that grants no room stays bounded.

hypercorn 0.18 lets a writer go on whenever it has *taken* little from a stream's buffer, even if that is nothing as the
reader's window is closed: such a reader would have the host hold a whole reply. The writer may go on when the buffer
*holds* little.
"""

from __future__ import annotations

from hypercorn.protocol.h2 import BUFFER_LOW_WATER, H2Protocol, StreamBuffer

__all__ = ["bound"]


class _Buffer(StreamBuffer):
    async def pop(self, max_length: int) -> bytes:
        """Take what may be sent now."""
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


class _Buffers(dict[int, StreamBuffer]):
    """The buffers of a connection's streams; each is replaced by one of ours as it comes."""

    def __setitem__(self, stream: int, buffer: StreamBuffer) -> None:
        super().__setitem__(stream, _Buffer(type(buffer._is_empty)))  # noqa: SLF001  hypercorn keeps its class nowhere


def bound(protocol: H2Protocol) -> None:
    """Bound what a connection that has no streams yet holds for each."""
    protocol.stream_buffers = _Buffers()
