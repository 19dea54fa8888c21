"""The attributes of spans and measurements, by OpenTelemetry's semantic conventions for generative AI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from jackfield import ChainBuild, ConversationRequest, Message, Part, ProviderError, ReasoningPart, TextPart, ToolCall

__all__ = ["Attributes", "described", "error_type", "message_json", "provider_of", "reply_json", "request_attributes"]

Attributes: TypeAlias = dict[str, Any]

_PROVIDERS: Final = {
    "aws.bedrock": "aws.bedrock",
    "googleai": "gcp.gemini",
    "mistral": "mistral_ai",
}
"""Where the convention's name of a provider differs from the component type's."""


def provider_of(build: ChainBuild) -> str:
    """Return the convention's name of the provider behind a component."""
    name = build.type_name.removeprefix("conversation.")
    if name == "openai" and str(build.spec.get("apiType", "")).lower() == "azure":
        return "azure.ai.openai"
    return _PROVIDERS.get(name, name)


def described(operation: str, provider: str, model: str) -> Attributes:
    """The attributes that spans and measurements share."""
    common = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider}
    return common | ({"gen_ai.request.model": model} if model else {})


def request_attributes(request: ConversationRequest) -> Attributes:
    """What a request asks for, without what it says."""
    settings = request.settings
    given: Mapping[str, Any] = {
        "jackfield.component": request.component,
        "jackfield.api": request.record.api,
        "jackfield.request_id": request.record.request_id,
        "gen_ai.conversation.id": request.context_id or None,
        "gen_ai.request.max_tokens": settings.max_tokens,
        "gen_ai.request.temperature": settings.temperature,
        "gen_ai.request.top_p": settings.top_p,
        "gen_ai.request.top_k": settings.top_k,
        "gen_ai.request.seed": settings.seed,
        "gen_ai.request.presence_penalty": settings.presence_penalty,
        "gen_ai.request.frequency_penalty": settings.frequency_penalty,
        "gen_ai.request.choice.count": settings.n if settings.n != 1 else None,
        "gen_ai.request.stream": request.stream or None,
        "gen_ai.output.type": "json" if request.response_format is not None else None,
    }
    return {name: value for name, value in given.items() if value not in {None, ""}}


def error_type(error: BaseException) -> str:
    """Return what went wrong in one word: the provider's status, or the kind of error; never its text."""
    if isinstance(error, ProviderError) and error.status is not None:
        return str(error.status)
    if isinstance(error, GeneratorExit) or type(error).__name__ == "CancelledError":
        return "cancelled"
    return type(error).__name__


def message_json(messages: Iterable[Message]) -> str:
    """Write messages as the convention has them: roles with parts."""
    written = []
    for message in messages:
        parts = _parts(message.parts, message.tool_calls)
        if message.role == "tool":
            result = {"type": "tool_call_response", "id": message.tool_call_id, "response": message.text}
            parts = [result]
        written.append({"role": message.role, "parts": parts})
    return msgspec.json.encode(written).decode()


def reply_json(choices: Iterable[tuple[Iterable[Part], Iterable[ToolCall], str]]) -> str:
    """Write a reply's choices: parts, calls and why each ended."""
    written = [
        {"role": "assistant", "parts": _parts(parts, calls), "finish_reason": reason}
        for parts, calls, reason in choices
    ]
    return msgspec.json.encode(written).decode()


def _parts(parts: Iterable[Part], calls: Iterable[ToolCall]) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, TextPart):
            written.append({"type": "text", "content": part.text})
        elif isinstance(part, ReasoningPart):
            written.append({"type": "reasoning", "content": part.text})
    return written + [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments} for call in calls
    ]
