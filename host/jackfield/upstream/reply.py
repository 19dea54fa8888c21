"""What a component sees of a server's reply."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

__all__ = ["Reply"]


class Reply(Protocol):
    """A reply with a status of success, whose body has not been read yet."""

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""

    async def read(self, limit: int) -> bytes:
        """Read the body to its end.

        Raises:
            ProviderError: it is longer than ``limit`` bytes.
            InvokeError: the connection broke or fell silent.
        """

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Give the body as it arrives.

        Raises:
            InvokeError: the connection broke or fell silent.
        """

    async def skip_tail(self) -> None:
        """Wait a moment for the end of a body that is known to hold nothing more, so that its connection is kept."""

    def close(self) -> None:
        """Let go of the connection: back to the pool if the body was read to its end, else closed at once."""
