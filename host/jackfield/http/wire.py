"""Values as they stand on the wire: each reader takes what protojson takes, and says what it expected instead.

``null`` is the same as an absent field (contract sheet, section 1.2). Error texts name a field's path and JSON types
only, never its content.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from jackfield import durations
from jackfield.errors import MalformedRequest, RequestError, error_code

__all__ = [
    "ErrorReply",
    "array",
    "at",
    "boolean",
    "cache_ttl",
    "encode",
    "encode_error",
    "integer",
    "kind",
    "mapping",
    "number",
    "seconds",
    "text",
    "wrong_type",
]

_ENCODER = msgspec.json.Encoder()
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_LONGEST_DURATION = 64
_LONGEST_NAME = 40
_LONGEST_NUMBER = 400
_LARGEST = 2**63


def kind(value: Any) -> str:
    """Name a value's JSON type, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def at(path: str, name: str) -> str:
    """Return the path of a member, for an error's text; ``path`` is empty for the body itself."""
    name = name[:_LONGEST_NAME]
    return f"{path}.{name}" if path else name


def wrong_type(path: str, expected: str, value: Any) -> MalformedRequest:
    """Return the error for a value of the wrong JSON type."""
    return MalformedRequest(f"{path}: expected {expected}, got {kind(value)}")


def text(found: dict[str, Any], name: str, path: str) -> str:
    """Return a string member; empty if absent."""
    value = found.get(name)
    if value is None:
        return ""
    if type(value) is str:
        return value
    raise wrong_type(at(path, name), "a string", value)


def boolean(found: dict[str, Any], name: str, path: str) -> bool:
    """Return a boolean member; False if absent."""
    value = found.get(name)
    if value is None:
        return False
    if type(value) is bool:
        return value
    raise wrong_type(at(path, name), "a boolean", value)


def array(found: dict[str, Any], name: str, path: str) -> list[Any]:
    """Return an array member; empty if absent."""
    value = found.get(name)
    if value is None:
        return []
    if type(value) is list:
        return value
    raise wrong_type(at(path, name), "an array", value)


def mapping(found: dict[str, Any], name: str, path: str) -> dict[str, Any] | None:
    """Return an object member as it is; None if absent."""
    value = found.get(name)
    if value is None or type(value) is dict:
        return value
    raise wrong_type(at(path, name), "an object", value)


def number(value: Any) -> float:
    """Read a double: a number, its text, or ``NaN``, ``Infinity``, ``-Infinity`` as text.

    Raises:
        TypeError: it is none of these.
    """
    if type(value) is float:
        return value
    if type(value) is str:
        if len(value) <= _LONGEST_NUMBER and (value in _NOT_FINITE or _NUMBER.fullmatch(value)):
            return float(value)
    elif type(value) is int and abs(value) < _LARGEST:
        return float(value)
    raise TypeError("a number")


def integer(value: Any) -> int:
    """Read an int64: a number or its text; ``5.0`` and ``1e3`` are whole numbers too.

    Raises:
        TypeError: it is neither, has a fraction, or needs more than 64 bits.
    """
    if type(value) is str and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        value = float(value) if set(value) & set(".eE") else int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int and -_LARGEST <= value < _LARGEST:
        return value
    raise TypeError("a whole number")


def seconds(value: str) -> float:
    """Read a duration, as protobuf's JSON (``86400s``) or Go (``24h``) writes it.

    Raises:
        ValueError: it is none. A text of over 64 characters is none either, so that reading it takes no time.
    """
    if len(value) > _LONGEST_DURATION:
        raise ValueError("too long for a duration")
    return durations.parse_proto(value)


def cache_ttl(found: dict[str, Any], doubts: list[str]) -> float | None:
    """Return the request's ``cacheTTL`` in seconds, None if absent; what is wrong with its text goes to ``doubts``.

    It is a Go duration of 0 or more. It is our own field on alpha2 and the reference document's on alpha1.
    """
    value = found.get("cacheTTL")
    if value is None:
        return None
    if type(value) is not str:
        raise wrong_type("cacheTTL", "a duration as a string, such as 10m", value)
    try:
        ttl = seconds(value)
    except ValueError:
        doubts.append("cacheTTL: not a duration; write a number with a unit, such as 10m, 1h30m or 500ms")
        return None
    if ttl < 0:
        doubts.append("cacheTTL: a duration can't be negative; write 0s to switch the cache off")
    return ttl


def encode(reply: Any) -> bytes:
    """Write a reply as JSON. Half a surrogate pair, which a provider may let through, becomes a question mark."""
    try:
        return _ENCODER.encode(reply)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(reply), ensure_ascii=False).encode(errors="replace")


class ErrorReply(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An error: its code, and a text that names the thing, the cause and the fix (contract sheet, section 1.6)."""

    error_code: str
    message: str


def encode_error(error: RequestError) -> bytes:
    """Write an error's body, ``{"errorCode", "message"}`` (contract sheet, section 1.6)."""
    return encode(ErrorReply(error_code(error).code, error.message))
