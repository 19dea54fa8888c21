"""The headers of a request, for stages that need one of them."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["NO_HEADERS", "Headers"]


class Headers:
    """The caller's headers, or gRPC metadata, as they came. Its ``repr`` shows none of them: they hold tokens.

    Args:
        pairs: names in lower case, and values.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._pairs = pairs

    def get(self, name: str) -> str:
        """Return a header's value by its name in any case; several values are joined by commas, none is empty."""
        wanted = name.lower().encode("latin-1", "replace")
        found = [value for key, value in self._pairs if key == wanted]
        return ", ".join([value.decode("latin-1") for value in found]) if found else ""

    def __repr__(self) -> str:
        return "Headers()"


NO_HEADERS = Headers()
"""What a request has that came without any."""
