"""Tools, the choice among them, and the structure of the reply (OpenAI's API reference)."""

from __future__ import annotations

from typing import Any

from jackfield import ResponseFormat, Tool
from jackfield_openai_api.errors import Refused
from jackfield_openai_api.values import array, boolean, mapping, members, text, wrong_type

__all__ = ["read_response_format", "read_tool_choice", "read_tools"]


def read_tools(found: dict[str, Any]) -> tuple[Tool, ...]:
    """Read ``tools``.

    Raises:
        Refused: one is no function, or has no name.
    """
    tools: list[Tool] = []
    for index, value in enumerate(array(found, "tools")):
        place = f"tools[{index}]"
        tool = members(value, place)
        if text(tool, "type", place) != "function":
            raise Refused(f"{place}.type: must be function; tools of other types are not supported", param=place)
        path = f"{place}.function"
        function = members(tool.get("function"), path)
        name = text(function, "name", path)
        if not name:
            raise Refused(f"{path}.name: missing", param=f"{path}.name")
        tools.append(
            Tool(
                name=name,
                description=text(function, "description", path),
                parameters=mapping(function, "parameters", path),
                strict=boolean(function, "strict", path),
            )
        )
    return tuple(tools)


def read_tool_choice(found: dict[str, Any], tools: tuple[Tool, ...]) -> str:
    """Read ``tool_choice``: ``auto``, ``none``, ``required``, or an object that names a function.

    Returns:
        The choice as ``ConversationRequest`` has it; empty without tools.

    Raises:
        Refused: it is none of these, or names no tool of the request.
    """
    sent = found.get("tool_choice")
    choice = _named(sent) if type(sent) is dict else sent
    if choice is not None and type(choice) is not str:
        raise wrong_type("tool_choice", "a string or an object", sent)
    if not tools:
        if choice in {None, "auto", "none"}:
            return ""
        raise Refused("tool_choice: there are no tools to choose from; send some in tools", param="tool_choice")
    if choice is None:
        return "auto"
    # As an object it names a function, whatever that is called.
    words = () if type(sent) is dict else ("auto", "none", "required")
    if choice not in words and (words or choice not in {tool.name for tool in tools}):
        raise Refused(
            "tool_choice: must be auto, none, required, or"
            ' {"type": "function", "function": {"name": ...}} with the name of one of the tools',
            param="tool_choice",
        )
    return choice


def _named(sent: dict[str, Any]) -> str:
    choice = members(sent, "tool_choice")
    if text(choice, "type", "tool_choice") != "function":
        raise Refused("tool_choice.type: must be function; no other is supported", param="tool_choice.type")
    return text(members(choice.get("function"), "tool_choice.function"), "name", "tool_choice.function")


def read_response_format(found: dict[str, Any]) -> ResponseFormat | None:
    """Read ``response_format``: of type ``text``, ``json_object`` or ``json_schema``; None for text.

    Raises:
        Refused: it is of another type, or has no schema.
    """
    sent = mapping(found, "response_format")
    if sent is None:
        return None
    match text(sent, "type", "response_format"):
        case "text":
            return None
        case "json_object":
            return ResponseFormat(schema=None)
        case "json_schema":
            path = "response_format.json_schema"
            content = members(sent.get("json_schema"), path)
            schema = mapping(content, "schema", path)
            if schema is None:
                raise Refused(f"{path}.schema: missing; it is a JSON Schema", param=f"{path}.schema")
            return ResponseFormat(
                schema=schema,
                name=text(content, "name", path) or "response",
                description=text(content, "description", path),
                strict=boolean(content, "strict", path),
            )
    raise Refused("response_format.type: must be text, json_object or json_schema", param="response_format.type")
