"""The wire of ``POST /v1.0-alpha2/conversation/{name}/converse`` (contract sheet, section 1.4)."""

from __future__ import annotations

from typing import Any

from jackfield.errors import InvalidParameters, MalformedRequest, MissingInputs
from jackfield.http.alpha2_reply import encode_alpha2
from jackfield.http.overrides import OverridePolicy, read_overrides
from jackfield.http.response_format import read_response_format
from jackfield.http.spelling import CACHE_TTL, SCRUB, Fields
from jackfield.http.strict_json import parse
from jackfield.http.wire import array, boolean, cache_ttl, mapping, seconds, text, wrong_type
from jackfield.messages import ConversationRequest, Message, Record, ResponseFormat, Role, TextPart, Tool, ToolCall

__all__ = ["decode_alpha2", "encode_alpha2"]

_REQUEST = Fields(
    "name",
    "contextId",
    "inputs",
    "parameters",
    "metadata",
    "tools",
    "toolChoice",
    "responseFormat",
    "promptCacheRetention",
    SCRUB,
    CACHE_TTL,
    any_case=SCRUB[:1],
)
_INPUT = Fields("messages", SCRUB, any_case=SCRUB[:1])
_MESSAGE = Fields("ofDeveloper", "ofSystem", "ofUser", "ofAssistant", "ofTool")
_PLAIN = Fields("name", "content")
_ASSISTANT = Fields("name", "content", "toolCalls")
_TOOL_RESULT = Fields("toolId", "name", "content")
_CONTENT = Fields("text")
_TOOL_CALL = Fields("id", "function")
_CALLED = Fields("name", "arguments")
_TOOL = Fields("function")
_FUNCTION = Fields("name", "description", "parameters")
_SPEAKERS: dict[str, tuple[Role, Fields]] = {
    "ofDeveloper": ("developer", _PLAIN),
    "ofSystem": ("system", _PLAIN),
    "ofUser": ("user", _PLAIN),
    "ofAssistant": ("assistant", _ASSISTANT),
    "ofTool": ("tool", _TOOL_RESULT),
}
_ALTERNATIVES = "'auto', 'none', 'required', or a specific tool name matching the tools available to be used"


def decode_alpha2(body: bytes, *, component: str, policy: OverridePolicy, record: Record) -> ConversationRequest:
    """Read a request.

    Args:
        body: the HTTP body.
        component: the component's name, as the URL has it.
        policy: which settings the component lets a request override.
        record: the facts of this request; ``ignored`` is set.

    Raises:
        MalformedRequest: the body is no JSON, or a field has the wrong type.
        MissingInputs: ``inputs`` is absent or empty. An input without messages is not an error.
        InvalidParameters: the first of its values that can be read but not used.
    """
    members = parse(body)
    found = _REQUEST.read(members, "")
    doubts: list[str] = []
    inputs = array(found, "inputs", "")
    messages: list[Message] = []
    for index, value in enumerate(inputs):
        _read_input(value, index, messages, doubts)
    tools = _tools(found) if "tools" in found else ()
    tool_choice = _tool_choice(text(found, "toolChoice", ""), tools, doubts)
    response_format = _response_format(found, doubts) if "responseFormat" in found else None
    scrub_reply = boolean(found, "scrubPII", "")
    context_id = text(found, "contextId", "")
    retention = _retention(found, doubts)
    ttl = cache_ttl(found, doubts)
    parameters = mapping(found, "parameters", "") or {}
    settings, model, metadata = read_overrides(
        members, _REQUEST, parameters, _metadata(found), policy=policy, record=record, doubts=doubts
    )
    if not inputs:
        raise MissingInputs
    if doubts:
        raise InvalidParameters(doubts[0])
    return ConversationRequest(
        component=component,
        messages=tuple(messages),
        tools=tools,
        tool_choice=tool_choice,
        response_format=response_format,
        settings=settings,
        model=model,
        metadata=metadata,
        context_id=context_id,
        prompt_cache_retention=retention,
        cache_ttl=ttl,
        scrub_reply=scrub_reply,
        record=record,
    )


def _read_input(value: Any, index: int, messages: list[Message], doubts: list[str]) -> None:
    path = f"inputs[{index}]"
    found = _INPUT.read(value, path)
    scrub = boolean(found, "scrubPII", path)
    for position, sent in enumerate(array(found, "messages", path)):
        place = f"{path}.messages[{position}]"
        members = [member for member in _MESSAGE.read(sent, place).items() if member[1] is not None]
        if len(members) == 1:
            messages.append(_message(*members[0], place, index, scrub=scrub, doubts=doubts))
        elif members:
            names = " and ".join(name for name, _ in members)
            raise MalformedRequest(f"{place}: a message has one member, got {names}")
        else:
            doubts.append("message type cannot be nil")


def _message(member: str, value: Any, place: str, index: int, *, scrub: bool, doubts: list[str]) -> Message:
    role, fields = _SPEAKERS[member]
    path = f"{place}.{member}"
    found = fields.read(value, path)
    parts = tuple(
        [
            TextPart(text(_CONTENT.read(part, f"{path}.content[{at_part}]"), "text", f"{path}.content[{at_part}]"))
            for at_part, part in enumerate(array(found, "content", path))
        ]
    )
    if fields is _PLAIN:
        return Message(role=role, parts=parts, name=text(found, "name", path), input=index, scrub=scrub)
    return Message(
        role=role,
        parts=parts,
        name=text(found, "name", path),
        tool_calls=_tool_calls(found, path, doubts),
        tool_call_id=text(found, "toolId", path),
        input=index,
        scrub=scrub,
    )


def _tool_calls(found: dict[str, Any], path: str, doubts: list[str]) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    for index, value in enumerate(array(found, "toolCalls", path)):
        place = f"{path}.toolCalls[{index}]"
        call = _TOOL_CALL.read(value, place)
        if call.get("function") is None:
            doubts.append("tool types cannot be nil")
            continue
        called_at = f"{place}.function"
        called = _CALLED.read(call["function"], called_at)
        name, arguments = text(called, "name", called_at), text(called, "arguments", called_at)
        calls.append(ToolCall(text(call, "id", place), name, arguments))
    return tuple(calls)


def _tools(found: dict[str, Any]) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for index, value in enumerate(array(found, "tools", "")):
        place = f"tools[{index}]"
        sent = _TOOL.read(value, place).get("function")
        if sent is None:
            continue
        path = f"{place}.function"
        function = _FUNCTION.read(sent, path)
        tools.append(
            Tool(
                name=text(function, "name", path),
                description=text(function, "description", path),
                parameters=mapping(function, "parameters", path),
            )
        )
    return tuple(tools)


def _tool_choice(choice: str, tools: tuple[Tool, ...], doubts: list[str]) -> str:
    """Apply section 1.4, step 9. Without tools there is nothing to choose, and only ``required`` is an error."""
    if not tools:
        if choice == "required":
            doubts.append(f"tool choice must be {_ALTERNATIVES}")
        return ""
    if choice and choice not in {"auto", "none", "required"} and all(choice != tool.name for tool in tools):
        doubts.append(f"tool choice selected was not found. Must be {_ALTERNATIVES}")
    return choice or "auto"


def _response_format(found: dict[str, Any], doubts: list[str]) -> ResponseFormat | None:
    try:
        return read_response_format(mapping(found, "responseFormat", "") or {})
    except ValueError as error:
        doubts.append(str(error))
        return None


def _retention(found: dict[str, Any], doubts: list[str]) -> float | None:
    """Read a protobuf Duration in seconds. Its text belongs to the wire's type: a bad one is malformed, as in daprd."""
    value = found.get("promptCacheRetention")
    if value is None:
        return None
    if type(value) is not str:
        raise wrong_type("promptCacheRetention", 'a duration as a string, such as "86400s" or "24h"', value)
    try:
        retention = seconds(value)
    except ValueError:
        raise MalformedRequest('promptCacheRetention: not a duration; write "86400s" or "24h"') from None
    if retention < 0:
        doubts.append("promptCacheRetention: a duration can't be negative")
    return retention


def _metadata(found: dict[str, Any]) -> dict[str, str]:
    metadata = mapping(found, "metadata", "") or {}
    if all(type(value) is str for value in metadata.values()):
        return metadata
    return {key: text(metadata, key, "metadata") for key, value in metadata.items() if value is not None}
