"""The JSON Schemas that make a model call tools, whatever its chat template knows of them.

llama.cpp drops tools in silence where the template has no word for them, so none are sent to it. The reply is instead
bound to ``{"name": ..., "arguments": ...}``, or, where the model may choose, also to ``{"reply": ...}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jackfield import InvalidParameters, ResponseFormat, Tool

__all__ = ["chosen_tools", "reply_format"]


def chosen_tools(tools: Sequence[Tool], choice: str) -> tuple[tuple[Tool, ...], bool]:
    """Return the tools that the model may call, and whether it has to call one.

    Raises:
        InvalidParameters: the choice names no tool there is.
    """
    if choice == "none" or (not tools and choice in {"", "auto"}):
        return (), False
    if choice in {"", "auto"}:
        return tuple(tools), False
    if choice == "required" and tools:
        return tuple(tools), True
    named = tuple(tool for tool in tools if tool.name == choice)
    if not named:
        known = ", ".join(tool.name for tool in tools) or "none"
        raise InvalidParameters(f"tool choice {choice!r} is neither auto, none, required nor a tool; tools: {known}")
    return named, True


def reply_format(
    response_format: ResponseFormat | None, tools: Sequence[Tool], *, must_call: bool
) -> dict[str, Any] | None:
    """Return OpenAI's ``response_format`` for a reply with these tools; None leaves the model free."""
    answer = None
    if response_format is not None:
        answer = {"type": "object"} if response_format.schema is None else response_format.schema
    if not tools:
        return None if answer is None else _envelope(answer)
    # References count from the document's root, so each schema becomes a definition and its references follow it.
    definitions = {f"tool{number}": _moved(_parameters(tool), f"tool{number}") for number, tool in enumerate(tools)}
    branches = [
        _object(name={"const": tool.name}, arguments={"$ref": f"#/$defs/tool{number}"})
        for number, tool in enumerate(tools)
    ]
    if not must_call:
        definitions["reply"] = {"type": "string"} if answer is None else _moved(answer, "reply")
        branches.insert(0, _object(reply={"$ref": "#/$defs/reply"}))
    return _envelope({"$defs": definitions, "anyOf": branches})


def _parameters(tool: Tool) -> dict[str, Any]:
    return tool.parameters or {"type": "object", "properties": {}, "additionalProperties": False}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _envelope(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}


def _moved(schema: Any, definition: str) -> Any:
    """Copy a schema with its references to itself pointing into a definition of another document."""
    if isinstance(schema, list):
        return [_moved(item, definition) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(value, definition) for key, value in schema.items()}
    reference = moved.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        moved["$ref"] = f"#/$defs/{definition}{reference[1:]}"
    return moved
