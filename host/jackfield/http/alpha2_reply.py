"""The replies of ``POST /v1.0-alpha2/conversation/{name}/converse`` (contract sheet, section 1.4, step 12)."""

from __future__ import annotations

from msgspec import Struct

from jackfield.events import Choice, Result, Usage
from jackfield.http.wire import encode
from jackfield.messages import ConversationRequest
from jackfield.opaque import carried_id

__all__ = ["AlphaUsage", "encode_alpha2", "encode_usage"]


class _CompletionDetails(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    accepted_prediction_tokens: str = ""
    audio_tokens: str = ""
    reasoning_tokens: str = ""
    rejected_prediction_tokens: str = ""


class _PromptDetails(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    audio_tokens: str = ""
    cached_tokens: str = ""


class AlphaUsage(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Tokens, as alpha2 writes them: counts as text, zeros left out."""

    completion_tokens: str = ""
    prompt_tokens: str = ""
    total_tokens: str = ""
    completion_tokens_details: _CompletionDetails | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Function(Struct, frozen=True, omit_defaults=True, gc=False):
    name: str = ""
    arguments: str = ""


class _ToolCall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str = ""
    function: _Function


class _Message(Struct, frozen=True, omit_defaults=True, rename="camel"):
    content: str = ""
    tool_calls: list[_ToolCall] = []


class _Choice(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    finish_reason: str
    index: str = ""
    message: _Message


class _Output(Struct, frozen=True, omit_defaults=True):
    choices: list[_Choice]
    model: str = ""
    usage: AlphaUsage | None = None


class _Reply(Struct, frozen=True, omit_defaults=True, rename="camel"):
    context_id: str = ""
    outputs: list[_Output] = []


_NO_COMPLETION_DETAILS = _CompletionDetails()
_NO_PROMPT_DETAILS = _PromptDetails()


def encode_alpha2(request: ConversationRequest, result: Result) -> bytes:
    """Write a reply: one output per choice, each with that one choice, and the same usage and model on each.

    Fields at their default are left out. ``usage`` is left out where the provider told none; one that told zeros is
    ``{}``, which is what daprd's echo answers to empty content (contract sheet, section 10.5).

    Args:
        request: what was asked; its ``context_id`` is repeated if it isn't empty.
        result: the provider's answer. Reasoning has no field here and is left out.
    """
    usage = None if result.usage is None else encode_usage(result.usage)
    outputs = [
        _Output([_choice(choice, str(index) if index else "")], result.model, usage)
        for index, choice in enumerate(result.choices)
    ]
    return encode(_Reply(request.context_id, outputs))


def _choice(choice: Choice, index: str) -> _Choice:
    calls = choice.tool_calls
    sent = [_ToolCall(id=carried_id(call), function=_Function(call.name, call.arguments)) for call in calls]
    return _Choice(finish_reason=choice.finish_reason, index=index, message=_Message(choice.text, sent))


def encode_usage(usage: Usage) -> AlphaUsage:
    """Return tokens in alpha2's shape."""
    totals = (_count(usage.completion_tokens), _count(usage.prompt_tokens), _count(usage.total_tokens))
    completion = (
        usage.accepted_prediction_tokens,
        usage.completion_audio_tokens,
        usage.reasoning_tokens,
        usage.rejected_prediction_tokens,
    )
    prompt = (usage.prompt_audio_tokens, usage.cached_tokens)
    if not any(completion + prompt):
        return AlphaUsage(*totals)  # most providers tell no details
    completion_details = _CompletionDetails(*map(_count, completion))
    prompt_details = _PromptDetails(*map(_count, prompt))
    return AlphaUsage(
        *totals,
        None if completion_details == _NO_COMPLETION_DETAILS else completion_details,
        None if prompt_details == _NO_PROMPT_DETAILS else prompt_details,
    )


def _count(tokens: int | None) -> str:
    """Write a 64-bit count as protojson does, as text; 0 is the default, and uint64 has nothing below it."""
    return str(tokens) if tokens and tokens > 0 else ""
