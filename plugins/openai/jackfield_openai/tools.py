"""Tools and the choice among them, and the tool through which a model gives a structured answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from jackfield import ConversationRequest, InvalidParameters, ResponseFormat, Tool
from jackfield_openai.dialect import Dialect
from jackfield_openai.wire import ChatBody

__all__ = ["answer_tool", "apply_tools", "forced_choice"]

_NO_PARAMETERS: Final[dict[str, Any]] = {"type": "object", "properties": {}}
_PURPOSE: Final = "Gives the answer to the user in the form that is wanted. Call it to answer."
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


def answer_tool(request: ConversationRequest, dialect: Dialect) -> str:
    """Return the name of the tool whose arguments are the reply, for servers that know no JSON Schema.

    Returns:
        A name that no tool of the request has; empty where no such tool is needed, and where the request forces a tool
        of its own, as the reply is that tool's call then.

    Raises:
        InvalidParameters: the schema is none of an object, which arguments always are.
    """
    wanted = request.response_format
    if wanted is None or wanted.schema is None or dialect.structured != "tool":
        return ""
    if request.tools and forced_choice(request.tool_choice, request.tools):
        return ""
    if wanted.schema.get("type", "object") != "object":
        raise InvalidParameters(
            "this provider takes a response format of type object only; put the schema into a property of one"
        )
    name = _UNFIT.sub("_", wanted.name)[:56] or "response"
    taken = {tool.name for tool in request.tools}
    return next(free for number in count(1) if (free := name if number == 1 else f"{name}_{number}") not in taken)


def forced_choice(choice: str, tools: Sequence[Tool]) -> str:
    """Return ``required`` or ``named`` for a choice that leaves the model no other way than a call, else nothing."""
    if choice in {"", "auto", "none"}:
        return ""
    return "required" if choice == "required" or _is_any(choice, tools) else "named"


def apply_tools(body: ChatBody, request: ConversationRequest, dialect: Dialect, answer: str) -> None:
    """Write the request's tools and its choice into a body.

    Args:
        body: the body to write to.
        request: what is asked.
        dialect: what the server enforces.
        answer: the name of the tool that gives the structured answer; empty if there is none.

    Raises:
        InvalidParameters: the server doesn't enforce the choice.
    """
    choice, tools = request.tool_choice, [_tool(tool, strict=dialect.strict_tools) for tool in request.tools]
    record = request.record
    if not dialect.strict_tools and "strict" not in record.ignored and any(tool.strict for tool in request.tools):
        record.ignored = (*record.ignored, "strict")
    forced = forced_choice(choice, request.tools)
    if forced and forced not in dialect.tool_choices:
        raise InvalidParameters(
            f"tool choice {choice!r} can't be kept to, as this provider ignores it; use auto or none"
        )
    if choice == "none" and (answer or "none" not in dialect.tool_choices):
        tools = []
    if answer and request.response_format is not None:
        # With tools of its own beside it the model may call those first, as it may with a JSON Schema.
        body.tool_choice = dialect.required if tools else _named(answer)
        body.tools = [*tools, _answer(answer, request.response_format)]
    elif tools:
        body.tools = tools
        body.tool_choice = {"required": dialect.required, "named": _named(choice)}.get(forced, choice or None)


def _tool(tool: Tool, *, strict: bool = True) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    parameters = tool.parameters or _NO_PARAMETERS
    # Arguments are an object, and servers refuse a schema that doesn't say so.
    function["parameters"] = parameters if "type" in parameters else {"type": "object", **parameters}
    if tool.strict and strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _answer(name: str, wanted: ResponseFormat) -> dict[str, Any]:
    return _tool(Tool(name=name, description=wanted.description or _PURPOSE, parameters=wanted.schema))


def _named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def _is_any(choice: str, tools: Sequence[Tool]) -> bool:
    return choice == "any" and all(tool.name != "any" for tool in tools)
