"""Structured output: told to models that know schemas, and asked of the others as the input of one forced tool."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from jackfield import ConversationRequest, InvalidParameters, ProviderError
from jackfield_anthropic.dialect import Dialect
from jackfield_anthropic.wire import InputTool

__all__ = ["answer_tool", "check_unforced", "output_format"]

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_DATA = frozenset({"enum", "const", "default", "examples"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
"""Members that hold schemas by names of the caller's choice, which may be any word."""
_ANSWERING = "Gives the final answer. Call it once, with all of the answer, as soon as nothing else has to be called."


def output_format(request: ConversationRequest, dialect: Dialect) -> dict[str, Any] | None:
    """Return the format to tell a model that knows schemas, None if there is none to tell."""
    wanted = request.response_format
    if wanted is None or wanted.schema is None or not dialect.formats:
        return None
    return {"type": "json_schema", "schema": _closed(wanted.schema)}


def answer_tool(request: ConversationRequest, dialect: Dialect) -> InputTool | None:
    """Return the tool whose input is the reply; None where the model is told a format, or none is wanted.

    It's not there either when the model must call a tool of the caller's, as there is no reply then but the call.

    Raises:
        InvalidParameters: the schema describes no object, which a tool's input is.
    """
    wanted = request.response_format
    if wanted is None or (wanted.schema is not None and dialect.formats):
        return None
    if request.tools and request.tool_choice not in {"", "auto", "none"}:
        return None
    if wanted.schema is None:
        schema: dict[str, Any] = {"type": "object", "additionalProperties": True}
    elif wanted.schema.get("type", "object") == "object":
        schema = {"type": "object", **wanted.schema}
    else:
        raise InvalidParameters(
            "the response format's schema must be of type object for this model, as it answers by calling a tool"
        )
    name = _FOREIGN.sub("_", wanted.name)[:64] or "response"
    taken = {tool.name for tool in request.tools}
    while name in taken:
        name += "_"
    return InputTool(name, schema, f"{_ANSWERING} {wanted.description}".strip())


def check_unforced(text: str) -> None:
    """Accept text from a model that was to answer by a tool if it is a JSON object all the same.

    Raises:
        ProviderError: it is none; a server that forces no tools must not pass for one with structured output.
    """
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise ProviderError(
            "the model gave no structured output: it had to call a tool with its answer and did not; its server may not"
            " know how to force tools"
        )


def _closed(schema: Any) -> Any:
    """Say of each object that it has no other members, which the API wants said, unless the schema says something."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed_member(key, value) for key, value in schema.items()}
    kind = schema.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        closed.setdefault("additionalProperties", False)
    return closed


def _closed_member(key: str, value: Any) -> Any:
    if key in _DATA:
        return value
    if key in _NAMED and isinstance(value, dict):
        return {name: _closed(schema) for name, schema in value.items()}
    return _closed(value)
