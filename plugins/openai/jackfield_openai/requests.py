"""From a ``ConversationRequest`` to the body of a chat completions call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from jackfield import (
    ConversationRequest,
    GenerationSettings,
    InvalidParameters,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
)
from jackfield_openai.dialect import Dialect
from jackfield_openai.tools import answer_tool, apply_tools
from jackfield_openai.wire import ChatBody, ChatFunction, ChatMessage, ChatToolCall, TextContent

__all__ = ["build_body"]

_NOTHING_SET: Final = GenerationSettings()
_SETTINGS: Final = tuple(name for name in GenerationSettings.__struct_fields__ if name != "max_tokens")
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
        The body; the caller may still change it. What the dialect refuses is named in the request's record.

    Raises:
        InvalidParameters: the request can't be answered as asked without this: a structure, a tool choice, choices.
    """
    body = body_type(model=model, messages=_messages(request.messages, dialect))
    if request.settings is not _NOTHING_SET:
        _apply_settings(body, request, dialect)
    answer = "" if request.response_format is None else answer_tool(request, dialect)
    if request.tools or answer:
        apply_tools(body, request, dialect, answer)
    if request.response_format is not None and not answer:
        body.response_format = _response_format(request.response_format, dialect)
    if request.metadata and (sent := _metadata(request.metadata)):
        if dialect.metadata:
            body.metadata = sent
        else:
            _ignore(request, "metadata")
    if request.prompt_cache_retention is not None:
        body.prompt_cache_retention = _retention(request.prompt_cache_retention, dialect)
        if not dialect.retentions:
            _ignore(request, "prompt_cache_retention")
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
    calls = [ChatToolCall(call.id, ChatFunction(call.name, call.arguments), "function") for call in message.tool_calls]
    if message.role == "assistant" and dialect.returned_reasoning:
        thought = "".join(part.text for part in message.parts if isinstance(part, ReasoningPart)) or None
        if dialect.returned_reasoning == "reasoning":
            return ChatMessage(role, content, tool_calls=calls or None, reasoning=thought)
        return ChatMessage(role, content, tool_calls=calls or None, reasoning_content=thought)
    if calls:
        return ChatMessage(role, content, tool_calls=calls)
    if message.role == "tool":
        name = message.name or None if dialect.tool_names else None
        return ChatMessage(role, content, tool_call_id=message.tool_call_id, name=name)
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
        if name in dialect.refused:
            _ignore(request, name)
        else:
            setattr(body, dialect.seed_field if name == "seed" else name, value)
    if body.n is not None and dialect.most_choices is not None and body.n > dialect.most_choices:
        raise InvalidParameters(
            f"n is {body.n}, and this provider writes {dialect.most_choices} choice per call; ask several times"
        )


def _ignore(request: ConversationRequest, name: str) -> None:
    if name not in request.record.ignored:  # A retry builds the body again.
        request.record.ignored = (*request.record.ignored, name)


def _response_format(wanted: ResponseFormat, dialect: Dialect) -> dict[str, Any] | None:
    if dialect.structured == "none":
        raise InvalidParameters(
            "this provider has no structured output; leave the response format out, or ask a component that has it"
        )
    if wanted.schema is None:
        return {"type": "json_object"}
    if dialect.structured == "tool":
        return None  # The model has to call one of the request's tools, so there is no text to be structured.
    described = {"name": wanted.name, "strict": wanted.strict, "schema": wanted.schema}
    if wanted.description:
        described["description"] = wanted.description
    return {"type": "json_schema", "json_schema": described}


def _metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Leave out what daprd's client keeps for itself (contract sheet, section 10.3)."""
    return {key: value for key, value in metadata.items() if key != "thinking_config" and not key.startswith("openai:")}


def _retention(seconds: float, dialect: Dialect) -> str | None:
    """Name the retention that covers a number of seconds.

    OpenAI keeps a prompt in memory for an hour at most and otherwise for 24 hours (its guide on prompt caching); there
    is nothing longer, and nothing to send where a short one is asked of a model that has the long one only.
    """
    if seconds <= 0:
        return None
    value = "in_memory" if seconds <= _HOUR else "24h"
    return value if value in dialect.retentions else None
