"""From the body of a reply to a ``Result``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from jackfield import Choice, FinishReason, Part, ProviderError, ReasoningPart, Result, TextPart, ToolCall, Usage
from jackfield.upstream import decode, token_count
from jackfield_anthropic.failures import reported
from jackfield_anthropic.opaque import Signed, seal
from jackfield_anthropic.structure import check_unforced
from jackfield_anthropic.wire import (
    MessageReply,
    RedactedContent,
    ReplyBlock,
    ReplyEvent,
    ReplyUsage,
    StopDetails,
    ThinkingContent,
)

__all__ = ["arguments_text", "decode_event", "decode_reply", "finish_reason", "refusal", "result", "signed", "usage"]

_REASONS: Final[Mapping[str, FinishReason]] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "pause_turn": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)
"""Anthropic's stop reasons; any other is ``stop``. A turn that was paused is not whole."""

_reply_decoder: Final = msgspec.json.Decoder(MessageReply)
_event_decoder: Final = msgspec.json.Decoder(ReplyEvent)
DecodedT = TypeVar("DecodedT", MessageReply, ReplyEvent)


def decode_reply(data: bytes) -> MessageReply:
    """Read a whole reply.

    Raises:
        ProviderError: it is not JSON, not of the expected shape, or an error that came with a status of success.
    """
    return _decode(_reply_decoder, data, "the provider's reply")


def decode_event(data: bytes) -> ReplyEvent:
    """Read one event of a streamed reply; raises as ``decode_reply`` does."""
    return _decode(_event_decoder, data, "an event of the provider's stream")


def _decode(decoder: msgspec.json.Decoder[DecodedT], data: bytes, what: str) -> DecodedT:
    decoded = decode(decoder, data, what=what, kind="a message of Anthropic's API")
    if decoded.error is not None:
        raise reported(decoded.error)
    return decoded


def result(reply: MessageReply, *, model: str, answer: str) -> Result:
    """Turn a reply into a ``Result``.

    Args:
        reply: the decoded reply.
        model: what was asked, for servers that don't say what answered.
        answer: the name of the tool whose input is the reply's text; empty if there is none.

    Raises:
        ProviderError: it has neither content nor a reason to stop, or lacks the answer that is due.
    """
    if reply.content is None and reply.stop_reason is None:
        raise ProviderError("empty response: the provider's reply has no content")
    blocks = reply.content or []
    parts, calls = _read(blocks, answer)
    if not calls and not any(isinstance(part, TextPart) for part in parts) and (words := refusal(reply.stop_details)):
        parts.append(TextPart(words))
    choice = Choice(tuple(parts), tuple(calls), finish_reason(reply.stop_reason, called=bool(calls)))
    if answer and choice.finish_reason == "stop" and all(block.name != answer for block in blocks):
        check_unforced(choice.text)
    return Result((choice,), reply.model or model, None if reply.usage is None else usage(reply.usage))


def _read(blocks: Sequence[ReplyBlock], answer: str) -> tuple[list[Part], list[ToolCall]]:
    parts: list[Part] = []
    calls: list[ToolCall] = []
    thought: list[Signed] = []
    answers: list[Part] = []
    for block in blocks:
        if block.type == "tool_use" and answer and block.name == answer:
            answers.append(TextPart(arguments_text(block)))
        elif block.type == "tool_use":
            calls.append(ToolCall(block.id or "", block.name or "", arguments_text(block), seal(thought)))
            thought.clear()
        elif block.type == "text" and block.text:
            # A stream doesn't tell two texts in a row apart either.
            before = parts.pop().text if parts and isinstance(parts[-1], TextPart) else ""
            parts.append(TextPart(before + block.text))
        elif block.type in {"thinking", "redacted_thinking"}:
            sealed = signed(block)
            if sealed is not None:
                thought.append(sealed)
            if sealed is not None or block.thinking:
                parts.append(ReasoningPart(block.thinking or "", seal([sealed] if sealed else [])))
    if answers:  # What is said beside the answer is no part of its JSON, nor is a second answer.
        parts = [*(part for part in parts if not isinstance(part, TextPart)), answers[0]]
    return parts, calls


def signed(block: ReplyBlock) -> Signed | None:
    """Return what of a block of thinking has to come back, None if nothing is signed."""
    if block.data:
        return RedactedContent(block.data)
    return ThinkingContent("", block.signature) if block.signature else None


def arguments_text(block: ReplyBlock) -> str:
    """Return a call's input as JSON text; a call without input has an empty object."""
    text = bytes(block.input).decode()
    return "{}" if text in {"", "null"} else text


def finish_reason(given: str | None, *, called: bool) -> FinishReason:
    """Return the reason in the host's words; a call of the tool whose input is the reply is none."""
    reason = _REASONS.get(given or "", "stop")
    if reason == "stop" and called:
        return "tool_calls"
    return "stop" if reason == "tool_calls" and not called else reason


def refusal(details: StopDetails | None) -> str:
    """Return why the provider refused, for a reply that says nothing else."""
    return (details.explanation if details else None) or ""


def usage(counts: ReplyUsage) -> Usage:
    """Turn a reply's counts into a ``Usage``: the prompt is what was read anew, kept, and taken from the cache."""
    cached = token_count(counts.cache_read_input_tokens)
    read, kept = token_count(counts.input_tokens) or 0, token_count(counts.cache_creation_input_tokens) or 0
    prompt, completion = read + kept + (cached or 0), token_count(counts.output_tokens) or 0
    details = counts.output_tokens_details
    return Usage(
        prompt,
        completion,
        prompt + completion,
        cached_tokens=cached,
        reasoning_tokens=token_count(details.thinking_tokens) if details else None,
    )
