"""The replies of ``POST /v1.0-alpha2/conversation/{name}/converse`` (contract sheet, section 1.4, step 12)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jackfield.events import Choice, FinishReason, Result, Usage
from jackfield.http.wire import encode
from jackfield.messages import ConversationRequest, ToolCall
from jackfield.opaque import carried_id

__all__ = ["Alpha2Reply", "Alpha2Usage", "encode_alpha2", "encode_usage"]


class CompletionDetails(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """What the tokens written are made of."""

    accepted_prediction_tokens: str = ""
    audio_tokens: str = ""
    reasoning_tokens: str = ""
    rejected_prediction_tokens: str = ""


class PromptDetails(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """What the tokens read are made of."""

    audio_tokens: str = ""
    cached_tokens: str = ""


class Alpha2Usage(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Tokens, as alpha2 writes them: counts as text, zeros left out."""

    completion_tokens: str = ""
    prompt_tokens: str = ""
    total_tokens: str = ""
    completion_tokens_details: CompletionDetails | None = None
    prompt_tokens_details: PromptDetails | None = None


class Alpha2Function(Struct, frozen=True, omit_defaults=True, gc=False):
    """The function of a call; ``arguments`` is JSON as the model wrote it."""

    name: str = ""
    arguments: str = ""


class Alpha2ToolCall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model's wish to have a function called."""

    id: str = ""
    function: Alpha2Function


class Alpha2Message(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the model says."""

    content: str = ""
    tool_calls: Sequence[Alpha2ToolCall] = ()


class Alpha2Choice(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One answer; ``index`` is left out for the first."""

    finish_reason: FinishReason
    index: str = ""
    message: Alpha2Message


class Alpha2Output(Struct, frozen=True, omit_defaults=True):
    """One choice, with the reply's model and usage."""

    choices: list[Alpha2Choice]
    model: str = ""
    usage: Alpha2Usage | None = None


class Alpha2Reply(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A whole reply."""

    context_id: str = ""
    outputs: list[Alpha2Output] = []


_NO_COMPLETION_DETAILS = CompletionDetails()
_NO_PROMPT_DETAILS = PromptDetails()


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
        Alpha2Output([_choice(choice, str(index) if index else "")], result.model, usage)
        for index, choice in enumerate(result.choices)
    ]
    return encode(Alpha2Reply(request.context_id, outputs))


def _choice(choice: Choice, index: str) -> Alpha2Choice:
    calls: Sequence[Alpha2ToolCall] = ()
    if choice.tool_calls:
        calls = [_call(call) for call in choice.tool_calls]
    return Alpha2Choice(finish_reason=choice.finish_reason, index=index, message=Alpha2Message(choice.text, calls))


def _call(call: ToolCall) -> Alpha2ToolCall:
    return Alpha2ToolCall(id=carried_id(call), function=Alpha2Function(call.name, call.arguments))


def encode_usage(usage: Usage) -> Alpha2Usage:
    """Return tokens in alpha2's shape."""
    totals = (_count(usage.completion_tokens), _count(usage.prompt_tokens), _count(usage.total_tokens))
    completion = (
        usage.accepted_prediction_tokens,
        usage.completion_audio_tokens,
        usage.reasoning_tokens,
        usage.rejected_prediction_tokens,
    )
    prompt = (usage.prompt_audio_tokens, usage.cached_tokens)
    if not (any(completion) or any(prompt)):
        return Alpha2Usage(*totals)  # most providers tell no details
    completion_details = CompletionDetails(*map(_count, completion))
    prompt_details = PromptDetails(*map(_count, prompt))
    return Alpha2Usage(
        *totals,
        None if completion_details == _NO_COMPLETION_DETAILS else completion_details,
        None if prompt_details == _NO_PROMPT_DETAILS else prompt_details,
    )


def _count(tokens: int | None) -> str:
    """Write a 64-bit count as protojson does, as text; 0 is the default, and uint64 has nothing below it."""
    return str(tokens) if tokens and tokens > 0 else ""
