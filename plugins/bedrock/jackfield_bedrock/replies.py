"""From Converse's reply to a ``Result``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from jackfield import Choice, FinishReason, Part, ProviderError, ReasoningPart, Result, TextPart, ToolCall, Usage
from jackfield.upstream import token_count
from jackfield_bedrock.opaque import pack, reasoning_part
from jackfield_bedrock.requests import Call
from jackfield_bedrock.shapes import text

__all__ = ["FINISH_REASONS", "finish_reason", "no_structure", "result", "usage"]

FINISH_REASONS: Final[Mapping[str, FinishReason]] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "content_filtered": "content_filter",
        "guardrail_intervened": "content_filter",
    }
)
"""Converse's stop reasons (shape ``StopReason``). An unknown one is ``stop``, or ``tool_calls`` if there are calls."""

_MALFORMED: Final = frozenset({"malformed_model_output", "malformed_tool_use"})


def finish_reason(given: str, *, called: bool) -> FinishReason:
    """Return the reason in the host's words.

    Raises:
        ProviderError: the model wrote something that Bedrock can't read.
    """
    if given in _MALFORMED:
        raise ProviderError(f"the model wrote what Bedrock can't read ({given}); ask again, or simplify the tools")
    reason = FINISH_REASONS.get(given, "stop")
    if called:
        return "tool_calls" if reason == "stop" else reason
    return "stop" if reason == "tool_calls" else reason


def result(reply: Mapping[str, Any], call: Call) -> Result:
    """Turn a reply into a ``Result``.

    Raises:
        ProviderError: the reply is none, or has not the structure that was asked for.
    """
    message = (reply.get("output") or {}).get("message")
    if message is None or "stopReason" not in reply:
        raise ProviderError("the provider's reply is none of Converse's; check endpoint")
    parts: list[Part] = []
    thinking: list[ReasoningPart] = []
    structure: str | None = None
    calls: list[ToolCall] = []
    for block in message.get("content") or ():
        if "reasoningContent" in block:
            thinking.append(reasoning_part(block["reasoningContent"]))
        elif "text" in block:
            parts.append(TextPart(text(block["text"])))
        elif "toolUse" in block:
            use = block["toolUse"]
            arguments = msgspec.json.encode(use.get("input") or {}).decode()
            if call.structure and use["name"] == call.structure:
                structure = arguments if structure is None else structure
            else:
                calls.append(ToolCall(text(use.get("toolUseId")), text(use["name"]), arguments))
    reason = finish_reason(text(reply["stopReason"]), called=bool(calls))
    if structure is not None:
        parts = [TextPart(structure)]
    elif call.structure and reason == "stop":
        raise no_structure()
    if calls and (opaque := pack(thinking)):
        calls[0] = msgspec.structs.replace(calls[0], opaque=opaque)
    choice = Choice((*thinking, *parts), tuple(calls), reason)
    counts = reply.get("usage")
    return Result((choice,), call.model, usage(counts) if counts else None)


def no_structure() -> ProviderError:
    """Make the error for a model that answered with text where a structure was asked for."""
    return ProviderError(
        "the model answered without the structure of response_format; use a model that can be made to call a tool"
    )


def usage(counts: Mapping[str, Any]) -> Usage:
    """Turn token counts into a ``Usage``: what was read from or written to the cache counts as read too."""
    names = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "outputTokens")
    asked, read, written, completed = (token_count(counts.get(name)) for name in names)
    prompt, completion = (asked or 0) + (read or 0) + (written or 0), completed or 0
    return Usage(prompt, completion, prompt + completion, cached_tokens=read)
