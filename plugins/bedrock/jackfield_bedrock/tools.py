"""Tools, the choice among them, and the tool by which a model is made to write JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from jackfield import ConversationRequest, InvalidParameters, ResponseFormat, Tool
from jackfield_bedrock.history import Turn, has_tool_blocks

__all__ = ["Tools", "tools_of"]

_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class Tools:
    """What a request says of tools, in Converse's terms.

    Attributes:
        config: ``toolConfig``; None to leave it out.
        structure: the tool whose input is the reply's text; empty if the reply is ordinary.
        loose: the caller wants no tool to be called, and Converse can't be told so.
    """

    config: dict[str, Any] | None = None
    structure: str = ""
    loose: bool = False


def tools_of(request: ConversationRequest, turns: Sequence[Turn]) -> Tools:
    """Say which tools there are and which must be called.

    A structured reply is the input of a tool that the model has to call. Where the request has tools of its own the
    model chooses between them and that one, so that a tool can be called first; where it says that one of its own must
    be called, the structure is for a later turn.

    Raises:
        InvalidParameters: the tool that is chosen isn't there, or the structure is no object.
    """
    choice = _choice(request)
    wanted = request.response_format
    offered = [] if choice == "none" else list(request.tools)
    if wanted is not None and choice in {"", "auto", "none"}:
        return _structured(wanted, request, offered)
    config: dict[str, Any] = {"tools": [_spec(tool) for tool in offered]}
    if choice == "required":
        config["toolChoice"] = {"any": {}}
    elif choice == "auto":
        config["toolChoice"] = {"auto": {}}
    elif choice not in {"", "none"}:
        config["toolChoice"] = {"tool": {"name": choice}}
    if not offered:
        config["tools"] = _earlier(request, turns)
    return Tools(config if config["tools"] else None, loose=choice == "none" and bool(config["tools"]))


def _choice(request: ConversationRequest) -> str:
    choice = request.tool_choice
    names = {tool.name for tool in request.tools}
    if not names:
        return "none" if choice == "none" else ""
    if choice in names or choice in {"", "auto", "none", "required"}:
        return choice
    if choice == "any":
        return "required"
    raise InvalidParameters(f"tool_choice names {choice!r}, and there is no tool of that name")


def _structured(wanted: ResponseFormat, request: ConversationRequest, offered: Sequence[Tool]) -> Tools:
    schema: dict[str, Any] = {"type": "object"} if wanted.schema is None else wanted.schema
    if schema.get("type", "object") != "object":
        raise InvalidParameters(
            f"response_format: the schema's type must be object for a model of Bedrock, not {schema['type']!r}"
        )
    name = _UNFIT.sub("_", wanted.name)[:_LONGEST_NAME] or "response"
    while name in {tool.name for tool in request.tools}:
        name = f"{name[: _LONGEST_NAME - 1]}_"
    described = wanted.description or "The answer to the user. Call this tool to give it."
    answer = Tool(name=name, description=described, parameters=schema)
    config: dict[str, Any] = {"tools": [*(_spec(tool) for tool in offered), _spec(answer)]}
    config["toolChoice"] = {"any": {}} if offered else {"tool": {"name": name}}
    return Tools(config, name)


def _earlier(request: ConversationRequest, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Describe the tools of earlier turns, as Converse takes no turn that called tools without being told of any."""
    if not has_tool_blocks(turns):
        return []
    known = {tool.name: tool for tool in request.tools}
    called = [block["toolUse"]["name"] for turn in turns for block in turn["content"] if "toolUse" in block]
    return [_spec(known.get(name) or Tool(name=name)) for name in dict.fromkeys(called or ["unknown"])]


def _spec(tool: Tool) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": {"type": "object", **(tool.parameters or {"properties": {}})}}
    return {"toolSpec": spec}
