"""``ConverseAlpha2``'s requests (contract sheet, section 1.4); the rules are those of the HTTP API."""

from __future__ import annotations

from typing import Any

from dapr.proto.runtime.v1 import ai_pb2

from jackfield import (
    ConversationRequest,
    Headers,
    InvalidParameters,
    Message,
    Record,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield.frontends import (
    MissingInputs,
    OverridePolicy,
    chosen_tool,
    read_overrides,
    read_response_format,
    split_id,
)
from jackfield_grpc.values import read_any, read_struct

__all__ = ["decode"]

_SETTINGS = frozenset({"temperature", "max_tokens"})
_ROLES: dict[str, Role] = {
    "of_developer": "developer",
    "of_system": "system",
    "of_user": "user",
    "of_assistant": "assistant",
    "of_tool": "tool",
}


def decode(
    sent: ai_pb2.ConversationRequestAlpha2, policy: OverridePolicy, record: Record, headers: Headers
) -> ConversationRequest:
    """Read a request.

    Args:
        sent: the message.
        policy: which settings the component lets a request override.
        record: the facts of this request; ``ignored`` is set.
        headers: the call's metadata.

    Raises:
        MissingInputs: there are no inputs. An input without messages is not an error.
        InvalidParameters: the first value that can't be used.
    """
    doubts: list[str] = []
    messages: list[Message] = []
    for index, given in enumerate(sent.inputs):
        for item in given.messages:
            _read_message(item, index, messages, doubts, scrub=given.scrub_pii)
    # By name: the messages of dapr 1.18 have no max_tokens yet.
    others: dict[str, Any] = {field.name: value for field, value in sent.ListFields() if field.name in _SETTINGS}
    try:
        tools = _tools(sent)
        parameters = read_any(sent.parameters)
        response_format = _response_format(sent)
    except ValueError as error:
        doubts.append(str(error))
        tools, parameters, response_format = (), {}, None
    choice = chosen_tool(sent.tool_choice, tools, doubts)
    retention = _retention(sent, doubts)
    overrides = read_overrides(others, parameters, dict(sent.metadata), policy=policy, record=record, doubts=doubts)
    if not sent.inputs:
        raise MissingInputs
    if doubts:
        raise InvalidParameters(doubts[0])
    return ConversationRequest(
        component=sent.name,
        messages=tuple(messages),
        tools=tools,
        tool_choice=choice,
        response_format=response_format,
        settings=overrides.settings,
        model=overrides.model,
        metadata=overrides.metadata,
        context_id=sent.context_id,
        prompt_cache_retention=retention,
        scrub_reply=sent.scrub_pii,
        headers=headers,
        record=record,
    )


def _read_message(
    item: ai_pb2.ConversationMessage, index: int, messages: list[Message], doubts: list[str], *, scrub: bool
) -> None:
    member = item.WhichOneof("message_types")
    if member is None:
        doubts.append("message type cannot be nil")
        return
    said = getattr(item, member)
    messages.append(
        Message(
            role=_ROLES[member],
            parts=tuple([TextPart(part.text) for part in said.content]),
            name=said.name,
            tool_calls=_tool_calls(said, doubts) if member == "of_assistant" else (),
            tool_call_id=split_id(said.tool_id)[0] if member == "of_tool" else "",
            input=index,
            scrub=scrub,
        )
    )


def _tool_calls(said: ai_pb2.ConversationMessageOfAssistant, doubts: list[str]) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    for call in said.tool_calls:
        if not call.HasField("function"):
            doubts.append("tool types cannot be nil")
            continue
        own_id, opaque = split_id(call.id)
        calls.append(ToolCall(own_id, call.function.name, call.function.arguments, opaque))
    return tuple(calls)


def _tools(sent: ai_pb2.ConversationRequestAlpha2) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            name=tool.function.name,
            description=tool.function.description,
            parameters=read_struct(tool.function.parameters) if tool.function.HasField("parameters") else None,
        )
        for tool in sent.tools
        if tool.HasField("function")
    )


def _response_format(sent: ai_pb2.ConversationRequestAlpha2) -> ResponseFormat | None:
    if not sent.HasField("response_format"):
        return None
    return read_response_format(read_struct(sent.response_format))


def _retention(sent: ai_pb2.ConversationRequestAlpha2, doubts: list[str]) -> float | None:
    if not sent.HasField("prompt_cache_retention"):
        return None
    given = sent.prompt_cache_retention
    seconds = given.seconds + given.nanos / 1e9
    if seconds < 0:
        doubts.append("promptCacheRetention: a duration can't be negative")
    return seconds
