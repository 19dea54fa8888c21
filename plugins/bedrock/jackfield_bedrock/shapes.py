"""What stands in a reply is what Converse says: botocore hands on any JSON value in the place of another."""

from __future__ import annotations

__all__ = ["text"]


def text(value: object) -> str:
    """Return a text of a reply; empty for null.

    Raises:
        TypeError: it is something else.
    """
    if value is None:
        return ""
    if type(value) is not str:
        raise TypeError("a text was expected")
    return value
