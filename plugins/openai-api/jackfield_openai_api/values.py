"""Values of a request's JSON: each reader takes the type that the API names, and says what it expected instead.

``null`` is the same as an absent member. Error texts name a member's path and JSON types only, never its content.
"""

from __future__ import annotations

from typing import Any, Final

from jackfield_openai_api.errors import Refused

__all__ = ["array", "boolean", "inside", "mapping", "members", "text", "wrong_type"]

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
}
_LONGEST_NAME: Final = 40


def inside(path: str, name: str) -> str:
    """Return the path of a member; ``path`` is empty for the body itself."""
    name = name[:_LONGEST_NAME]
    return f"{path}.{name}" if path else name


def wrong_type(path: str, expected: str, value: Any) -> Refused:
    """Return the error for a value of the wrong JSON type."""
    return Refused(f"{path}: expected {expected}, got {_KINDS.get(type(value), 'an object')}", param=path)


def members(value: Any, path: str) -> dict[str, Any]:
    """Return an object's members, those that are null left out."""
    if type(value) is not dict:
        raise wrong_type(path or "the body", "an object", value)
    return {name: member for name, member in value.items() if member is not None}


def mapping(found: dict[str, Any], name: str, path: str = "") -> dict[str, Any] | None:
    """Return an object member as it is; None if absent."""
    value = found.get(name)
    if value is None or type(value) is dict:
        return value
    raise wrong_type(inside(path, name), "an object", value)


def array(found: dict[str, Any], name: str, path: str = "") -> list[Any]:
    """Return an array member; empty if absent."""
    value = found.get(name)
    if value is None:
        return []
    if type(value) is list:
        return value
    raise wrong_type(inside(path, name), "an array", value)


def text(found: dict[str, Any], name: str, path: str = "") -> str:
    """Return a string member; empty if absent."""
    value = found.get(name)
    if value is None:
        return ""
    if type(value) is str:
        return value
    raise wrong_type(inside(path, name), "a string", value)


def boolean(found: dict[str, Any], name: str, path: str = "") -> bool:
    """Return a boolean member; False if absent."""
    value = found.get(name)
    if value is None:
        return False
    if type(value) is bool:
        return value
    raise wrong_type(inside(path, name), "a boolean", value)
