"""Replies in one piece: the object ``chat.completion`` of OpenAI's API reference."""

from __future__ import annotations

from secrets import token_hex
from typing import Final

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from jackfield import Choice, ReasoningPart, Result, ToolCall, Usage
from jackfield.frontends import carried_id, encode_json

__all__ = ["ChatUsage", "call_id", "encode_reply", "encode_usage"]


class _Function(Struct, frozen=True, gc=False):
    name: str
    arguments: str


class _Call(Struct, frozen=True, kw_only=True):
    id: str
    type: str = "function"
    function: _Function


class _Message(Struct, frozen=True, kw_only=True):
    role: str = "assistant"
    content: str | None
    refusal: None = None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[_Call] | UnsetType = UNSET


class _Choice(Struct, frozen=True, kw_only=True):
    index: int
    message: _Message
    logprobs: None = None
    finish_reason: str


class _PromptDetails(Struct, frozen=True, omit_defaults=True, gc=False):
    cached_tokens: int | None = None
    audio_tokens: int | None = None


class _CompletionDetails(Struct, frozen=True, omit_defaults=True, gc=False):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class ChatUsage(Struct, frozen=True):
    """The object ``usage``."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails | UnsetType = UNSET
    completion_tokens_details: _CompletionDetails | UnsetType = UNSET


class _Completion(Struct, frozen=True, kw_only=True):
    id: str
    object: str = "chat.completion"
    created: int
    model: str
    choices: list[_Choice]
    usage: ChatUsage | UnsetType = UNSET


_NO_PROMPT_DETAILS: Final = _PromptDetails()
_NO_COMPLETION_DETAILS: Final = _CompletionDetails()


def encode_reply(result: Result, *, completion_id: str, created: int, model: str) -> bytes:
    """Write a reply.

    Args:
        result: the provider's answer. Reasoning is ``reasoning_content``, as several servers of this API have it.
        completion_id: the reply's id.
        created: seconds since 1970.
        model: what the caller asked for; told where the provider doesn't say what answered.
    """
    return encode_json(
        _Completion(
            id=completion_id,
            created=created,
            model=result.model or model,
            choices=[_choice(choice, index) for index, choice in enumerate(result.choices)],
            usage=UNSET if result.usage is None else encode_usage(result.usage),
        )
    )


def call_id(call: ToolCall) -> str:
    """Return the id that a call goes by: with the provider's opaque data, and made up where it gives none.

    Clients return it with the call and with its result, and some take calls of one id for one call.
    """
    return carried_id(call if call.id else replace(call, id=f"call_{token_hex(12)}"))


def encode_usage(usage: Usage) -> ChatUsage:
    """Return ``usage``; details that the provider doesn't tell are left out."""
    prompt = _PromptDetails(usage.cached_tokens, usage.prompt_audio_tokens)
    completion = _CompletionDetails(
        usage.reasoning_tokens,
        usage.completion_audio_tokens,
        usage.accepted_prediction_tokens,
        usage.rejected_prediction_tokens,
    )
    return ChatUsage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens or usage.prompt_tokens + usage.completion_tokens,
        UNSET if prompt == _NO_PROMPT_DETAILS else prompt,
        UNSET if completion == _NO_COMPLETION_DETAILS else completion,
    )


def _choice(choice: Choice, index: int) -> _Choice:
    calls = [_Call(id=call_id(call), function=_Function(call.name, call.arguments)) for call in choice.tool_calls]
    thinking = "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart))
    message = _Message(
        content=choice.text or (None if calls else ""),
        reasoning_content=thinking or UNSET,
        tool_calls=calls or UNSET,
    )
    return _Choice(index=index, message=message, finish_reason=choice.finish_reason)
