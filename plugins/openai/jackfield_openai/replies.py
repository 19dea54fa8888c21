"""From the body of a chat completions reply to a ``Result``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec

from jackfield import Choice, FinishReason, Part, ProviderError, ReasoningPart, Result, TextPart, ToolCall, Usage
from jackfield.upstream import decode, stated_error, token_count
from jackfield_openai.answers import answered
from jackfield_openai.wire import ChatChunk, ChatReply, ChatUsage, ReplyCall, ReplyChoice, ReplyMessage

__all__ = [
    "FINISH_REASONS",
    "Opaque",
    "arguments_text",
    "decode_chunk",
    "decode_reply",
    "details",
    "finish_reason",
    "nothing_opaque",
    "reasoning_text",
    "result",
    "text",
    "usage",
]

FINISH_REASONS: Final[Mapping[str, FinishReason]] = MappingProxyType(
    {
        "stop": "stop",
        "length": "length",
        "tool_calls": "tool_calls",
        "content_filter": "content_filter",
        "function_call": "tool_calls",
        "max_tokens": "length",
        "model_length": "length",
    }
)
"""OpenAI's finish reasons, the retired ``function_call`` included, and other servers' words for a reply cut short.

Every other word is ``stop``, or ``tool_calls`` if the choice has calls; a reply cut short must not look whole.
"""

_BROKEN_OFF: Final = frozenset(
    {"error", "function_call_filter", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL"}
)
"""Ends that are failures: Mistral's and OpenRouter's word, Google's for a call that can't be read, and DeepSeek's."""

Opaque: TypeAlias = Callable[[ReplyCall, Sequence[Mapping[str, Any]]], str]
"""Finds what a server wants back with a call: in the call, or in its message's ``reasoning_details``."""

_reply_decoder: Final = msgspec.json.Decoder(ChatReply)
_chunk_decoder: Final = msgspec.json.Decoder(ChatChunk)
_KIND: Final = "a chat completion"


def decode_reply(data: bytes) -> ChatReply:
    """Read a whole reply.

    Raises:
        ProviderError: it is not JSON, not of the expected shape, or an error that came with a status of success.
    """
    reply = decode(_reply_decoder, data, what="the provider's reply", kind=_KIND)
    if reply.error:
        raise stated_error(reply.error)
    return reply


def decode_chunk(data: bytes) -> ChatChunk:
    """Read one event of a streamed reply; raises as ``decode_reply`` does."""
    chunk = decode(_chunk_decoder, data, what="an event of the provider's stream", kind=_KIND)
    if chunk.error:
        raise stated_error(chunk.error)
    return chunk


def nothing_opaque(call: ReplyCall, details: Sequence[Mapping[str, Any]]) -> str:  # noqa: ARG001
    """Find nothing: most servers want nothing back."""
    return ""


def result(
    reply: ChatReply,
    *,
    model: str,
    reasons: Mapping[str, FinishReason],
    answer: str = "",
    opaque: Opaque = nothing_opaque,
) -> Result:
    """Turn a reply into a ``Result``.

    Args:
        reply: the decoded reply.
        model: what was asked, for servers that don't say what answered.
        reasons: the meanings of the server's finish reasons.
        answer: the tool whose arguments are the reply's text; empty if there is none.
        opaque: finds what the server wants back with a call.

    Raises:
        ProviderError: there are no choices, one failed, or a structured answer is missing.
    """
    if not reply.choices:
        raise ProviderError("empty response: the provider's reply has no choices")
    choices = reply.choices
    if len(choices) > 1:
        choices = sorted(choices, key=lambda choice: choice.index or 0)
    return Result(
        choices=tuple([_choice(choice, reasons, answer, opaque) for choice in choices]),
        model=reply.model or model,
        usage=None if reply.usage is None else usage(reply.usage),
    )


def _choice(choice: ReplyChoice, reasons: Mapping[str, FinishReason], answer: str, opaque: Opaque) -> Choice:
    if choice.error:
        raise stated_error(choice.error)
    message = choice.message or ReplyMessage()
    parts: list[Part] = []
    if reasoning := reasoning_text(message):
        parts.append(ReasoningPart(reasoning))
    if written := text(message):
        parts.append(TextPart(written))
    calls: tuple[ToolCall, ...] = ()
    if message.tool_calls:
        first, *others = message.tool_calls
        calls = (_call(first, opaque(first, details(message))), *[_call(call, opaque(call, ())) for call in others])
    made = Choice(tuple(parts), calls, finish_reason(choice.finish_reason, reasons, called=bool(calls)))
    return answered(made, answer) if answer else made


def finish_reason(given: str | None, reasons: Mapping[str, FinishReason], *, called: bool) -> FinishReason:
    """Return the reason in the host's words.

    OpenAI says ``stop`` for the call of a tool that was asked for by name. Callers wait for ``tool_calls`` to act upon
    calls, so a reply that holds some never ends with ``stop``. Google writes causes behind its words, after a colon.

    Raises:
        ProviderError: the reason is that the server failed.
    """
    word = given.partition(":")[0] if given else ""
    if word in _BROKEN_OFF:
        raise ProviderError(f"the provider broke its reply off, with the finish reason {given}; ask again")
    reason = reasons.get(word, "stop")
    return "tool_calls" if called and reason == "stop" else reason


def _call(call: ReplyCall, opaque: str) -> ToolCall:
    function = call.function
    if function is None:
        return ToolCall(call.id or "", "", "", opaque)
    return ToolCall(call.id or "", function.name or "", arguments_text(function.arguments), opaque)


def details(message: ReplyMessage) -> Sequence[Mapping[str, Any]]:
    """Return a message's ``reasoning_details``, in which OpenRouter passes on what the model's maker signed."""
    given = message.reasoning_details
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else ()


def arguments_text(arguments: str | dict[str, Any] | None) -> str:
    """Return a tool call's arguments as the JSON text that OpenAI would have sent."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()


def text(message: ReplyMessage) -> str:
    """Return what the message says, a refusal included; reasoning is no part of it."""
    content = message.content
    if isinstance(content, list):
        content = _joined(content, "text")
    return (content or "") + message.refusal if message.refusal else content or ""


def reasoning_text(message: ReplyMessage) -> str:
    """Return the message's thinking: ``reasoning_content``, ``reasoning``, or content parts of type ``thinking``."""
    for value in (message.reasoning_content, message.reasoning):
        if isinstance(value, str) and value:
            return value
    return _joined(message.content, "thinking") if isinstance(message.content, list) else ""


def _joined(parts: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Join the texts of one kind of part; a thinking part may itself be a list of text parts."""
    texts: list[str] = []
    for part in parts:
        value = part.get(kind) if part.get("type", "text") == kind else None
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            texts.extend(str(inner.get("text", "")) for inner in value if isinstance(inner, dict))
    return "".join(texts)


def usage(counts: ChatUsage) -> Usage:
    """Turn a reply's token counts into a ``Usage``; a total that is missing, or no count, is the sum."""
    prompt, completion = token_count(counts.prompt_tokens) or 0, token_count(counts.completion_tokens) or 0
    total = token_count(counts.total_tokens)
    if total is None:
        total = prompt + completion
    read, written = counts.prompt_tokens_details, counts.completion_tokens_details
    if read is None and written is None:
        return Usage(prompt, completion, total)
    return Usage(
        prompt,
        completion,
        total,
        cached_tokens=token_count(read.cached_tokens) if read else None,
        prompt_audio_tokens=token_count(read.audio_tokens) if read else None,
        reasoning_tokens=token_count(written.reasoning_tokens) if written else None,
        completion_audio_tokens=token_count(written.audio_tokens) if written else None,
        accepted_prediction_tokens=token_count(written.accepted_prediction_tokens) if written else None,
        rejected_prediction_tokens=token_count(written.rejected_prediction_tokens) if written else None,
    )
