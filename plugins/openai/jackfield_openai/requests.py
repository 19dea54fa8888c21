"""From a ``ConversationRequest`` to the body of a chat completions call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from jackfield import ConversationRequest, GenerationSettings, Message, ResponseFormat, TextPart, Tool
from jackfield_openai.dialect import Dialect
from jackfield_openai.wire import ChatBody, ChatFunction, ChatMessage, ChatToolCall, TextContent

__all__ = ["build_body"]

_NOTHING_SET: Final = GenerationSettings()
_SETTINGS: Final = tuple(name for name in GenerationSettings.__struct_fields__ if name != "max_tokens")
_NO_PARAMETERS: Final[dict[str, Any]] = {"type": "object", "properties": {}}
_HOUR: Final = 3600.0


def build_body(
    request: ConversationRequest,
    *,
    model: str,
    dialect: Dialect,
    stream: bool = False,
    body_type: type[ChatBody] = ChatBody,
) -> ChatBody:
    """Write a request for one model in one dialect.

    Args:
        request: what is asked.
        model: the model to name.
        dialect: what the server and the model understand.
        stream: whether to ask for the reply as it is written.
        body_type: the struct to fill, for servers with members of their own.

    Returns:
        The body; the caller may still change it. Settings that the dialect refuses are named in the request's record.
    """
    body = body_type(model=model, messages=_messages(request.messages, dialect))
    if request.settings is not _NOTHING_SET:
        _apply_settings(body, request, dialect)
    if request.tools:
        body.tools = [_tool(tool) for tool in request.tools]
        body.tool_choice = _tool_choice(request.tool_choice, request.tools)
    if request.response_format is not None:
        body.response_format = _response_format(request.response_format)
    if request.metadata:
        body.metadata = _metadata(request.metadata)
    if request.prompt_cache_retention is not None:
        body.prompt_cache_retention = _retention(request.prompt_cache_retention, dialect)
    if stream:
        body.stream = True
        if dialect.stream_usage:
            body.stream_options = {"include_usage": True}
    return body


def _messages(messages: Sequence[Message], dialect: Dialect) -> list[ChatMessage]:
    written = [_message(message, dialect) for message in messages]
    return written if dialect.system_role else _without_system(written)


def _message(message: Message, dialect: Dialect) -> ChatMessage:
    role = dialect.roles.get(message.role, message.role)
    texts = [part.text for part in message.parts if isinstance(part, TextPart)]
    content: str | list[TextContent] | None
    if len(texts) == 1:
        content = texts[0]
    elif texts:
        content = [TextContent(text) for text in texts]
    else:
        content = None if message.tool_calls else ""
    if message.tool_calls:
        calls = [ChatToolCall(call.id, ChatFunction(call.name, call.arguments)) for call in message.tool_calls]
        return ChatMessage(role, content, tool_calls=calls)
    if message.role == "tool":
        return ChatMessage(role, content, tool_call_id=message.tool_call_id)
    return ChatMessage(role, content)


def _without_system(messages: list[ChatMessage]) -> list[ChatMessage]:
    """Move system text to the front of the first user message, as daprd does for these models."""
    opening = [text for message in messages if message.role == "system" for text in _texts(message)]
    rest = [message for message in messages if message.role != "system"]
    if not opening:
        return rest
    for position, message in enumerate(rest):
        if message.role == "user":
            rest[position] = ChatMessage("user", "\n\n".join([*opening, *_texts(message)]))
            return rest
    return [ChatMessage("user", "\n\n".join(opening)), *rest]


def _texts(message: ChatMessage) -> list[str]:
    if isinstance(message.content, list):
        return [part.text for part in message.content]
    return [message.content] if message.content else []


def _apply_settings(body: ChatBody, request: ConversationRequest, dialect: Dialect) -> None:
    settings = request.settings
    if settings.max_tokens is not None:
        setattr(body, dialect.max_tokens_field, settings.max_tokens)
    for name in _SETTINGS:
        value = getattr(settings, name)
        if value is None:
            continue
        if name not in dialect.refused:
            setattr(body, name, value)
        elif name not in request.record.ignored:  # A retry builds the body again.
            request.record.ignored = (*request.record.ignored, name)


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = _NO_PARAMETERS if tool.parameters is None else tool.parameters
    return {"type": "function", "function": function}


def _tool_choice(choice: str, tools: Sequence[Tool]) -> str | dict[str, Any] | None:
    if not choice:
        return None
    if choice in {"auto", "none", "required"}:
        return choice
    if choice == "any" and all(tool.name != "any" for tool in tools):
        return "required"
    return {"type": "function", "function": {"name": choice}}


def _response_format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    described = {"name": wanted.name, "strict": wanted.strict, "schema": wanted.schema}
    if wanted.description:
        described["description"] = wanted.description
    return {"type": "json_schema", "json_schema": described}


def _metadata(metadata: dict[str, str]) -> dict[str, str] | None:
    """Leave out what daprd's client keeps for itself (contract sheet, section 10.3)."""
    sent = {key: value for key, value in metadata.items() if key != "thinking_config" and not key.startswith("openai:")}
    return sent or None


def _retention(seconds: float, dialect: Dialect) -> str | None:
    """Name the retention that covers a number of seconds.

    OpenAI keeps a prompt in memory for an hour at most and otherwise for 24 hours (its guide on prompt caching); there
    is nothing longer, and nothing to send where a short one is asked of a model that has the long one only.
    """
    if seconds <= 0:
        return None
    value = "in_memory" if seconds <= _HOUR else "24h"
    return value if value in dialect.retentions else None
