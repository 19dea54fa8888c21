"""``responseFormat``: daprd's flat JSON Schema, or OpenAI's envelope around one (contract sheet, section 10.4).

daprd goes on without structured output where it doesn't understand the schema; here that is an error, or the schema is
passed on as it is, ``$ref`` and ``anyOf`` included.
"""

from __future__ import annotations

from typing import Any

from jackfield.http.wire import kind
from jackfield.messages import ResponseFormat

__all__ = ["read_response_format"]

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_TYPELESS = ("anyOf", "oneOf", "allOf", "$ref", "enum", "const")
_NAMED_SCHEMAS = ("properties", "$defs", "definitions", "patternProperties")
_SCHEMA_LISTS = ("anyOf", "oneOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties")


def read_response_format(sent: dict[str, Any]) -> ResponseFormat | None:
    """Read a request's ``responseFormat``.

    Args:
        sent: a flat schema with the extra top-level keys ``name``, ``description`` and ``strict``; or one of OpenAI's
            ``{"type": "json_schema", "json_schema": {...}}``, ``{"type": "json_object"}`` and ``{"type": "text"}``. Its
            depth is bounded by the JSON reader.

    Returns:
        The format; None for plain text, and for an empty object. As daprd does, objects of a flat schema that list
        ``properties`` and say nothing of others are closed (``additionalProperties: false``); an envelope's schema is
        left as it is.

    Raises:
        ValueError: it is neither form; the text says what is missing.
    """
    if not sent:
        return None
    match sent.get("type"):
        case "text":
            return None
        case "json_object":
            return ResponseFormat(schema=None)
        case "json_schema":
            return _envelope(sent.get("json_schema"))
    schema = {key: value for key, value in sent.items() if key not in {"name", "description", "strict"}}
    _check_type(schema)
    return _format("responseFormat", sent, _closed(schema))


def _envelope(content: Any) -> ResponseFormat:
    if type(content) is not dict:
        raise ValueError(f"responseFormat.json_schema: expected an object, got {kind(content)}")
    schema = content.get("schema")
    if type(schema) is not dict:
        raise ValueError(f"responseFormat.json_schema.schema: expected a JSON Schema object, got {kind(schema)}")
    return _format("responseFormat.json_schema", content, schema)


def _format(path: str, sent: dict[str, Any], schema: dict[str, Any]) -> ResponseFormat:
    name, description, strict = sent.get("name"), sent.get("description"), sent.get("strict")
    for key, value in (("name", name), ("description", description)):
        if value is not None and type(value) is not str:
            raise ValueError(f"{path}.{key}: expected a string, got {kind(value)}")
    if strict is not None and type(strict) is not bool:
        raise ValueError(f"{path}.strict: expected a boolean, got {kind(strict)}")
    return ResponseFormat(schema=schema, name=name or "response", description=description or "", strict=bool(strict))


def _check_type(schema: dict[str, Any]) -> None:
    types = schema.get("type")
    if types is None:
        if not any(key in schema for key in _TYPELESS):
            raise ValueError("responseFormat: a JSON Schema needs a type, such as object, or anyOf or $ref")
        return
    names = types if type(types) is list else [types]
    if not names or not all(type(name) is str and name in _TYPES for name in names):
        raise ValueError(
            f"responseFormat.type: must be one of {', '.join(_TYPES)}, or OpenAI's json_schema, json_object or text"
        )


def _closed(node: Any) -> Any:
    """Copy a schema, closing each object that lists properties.

    Only places that hold whole schemas are entered: the branches of ``allOf``, ``if`` and ``not`` add to a schema
    beside them, and an object that is closed there, or that is merged with a ``$ref``, would fit nothing.
    """
    if type(node) is not dict:
        return node
    copy = dict(node)
    for key in _NAMED_SCHEMAS:
        if type(named := copy.get(key)) is dict:
            copy[key] = {name: _closed(schema) for name, schema in named.items()}
    for key in _SCHEMA_LISTS:
        if type(schemas := copy.get(key)) is list:
            copy[key] = [_closed(schema) for schema in schemas]
    for key in _SCHEMAS:
        if key in copy:
            copy[key] = _closed(copy[key])
    if type(copy.get("properties")) is dict and not copy.keys() & {"allOf", "$ref"}:
        copy.setdefault("additionalProperties", False)
    return copy
