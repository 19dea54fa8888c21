"""``ConverseAlpha2``'s replies (contract sheet, section 1.4, step 12)."""

from __future__ import annotations

from dapr.proto.runtime.v1 import ai_pb2

from jackfield import Result, Usage
from jackfield.frontends import carried_id

__all__ = ["encode"]


def encode(sent: ai_pb2.ConversationRequestAlpha2, result: Result) -> ai_pb2.ConversationResponseAlpha2:
    """Write a reply: one output per choice, each with that one choice, and the same usage and model on each.

    Args:
        sent: the request; its ``context_id`` is repeated if it isn't empty.
        result: the answer. Reasoning has no field here and is left out.
    """
    reply = ai_pb2.ConversationResponseAlpha2()
    if sent.context_id:
        reply.context_id = sent.context_id
    for index, choice in enumerate(result.choices):
        output = reply.outputs.add()
        written = output.choices.add(finish_reason=choice.finish_reason, index=index)
        written.message.content = choice.text
        for call in choice.tool_calls:
            said = written.message.tool_calls.add(id=carried_id(call))
            said.function.name, said.function.arguments = call.name, call.arguments
        if result.model:
            output.model = result.model
        if result.usage is not None:
            _write_usage(output.usage, result.usage)
    return reply


def _write_usage(written: ai_pb2.ConversationResultAlpha2CompletionUsage, usage: Usage) -> None:
    written.SetInParent()
    written.completion_tokens = _count(usage.completion_tokens)
    written.prompt_tokens = _count(usage.prompt_tokens)
    written.total_tokens = _count(usage.total_tokens)
    completion = {
        "accepted_prediction_tokens": usage.accepted_prediction_tokens,
        "audio_tokens": usage.completion_audio_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "rejected_prediction_tokens": usage.rejected_prediction_tokens,
    }
    for name, tokens in completion.items():
        if _count(tokens):
            setattr(written.completion_tokens_details, name, tokens)
    for name, tokens in {"audio_tokens": usage.prompt_audio_tokens, "cached_tokens": usage.cached_tokens}.items():
        if _count(tokens):
            setattr(written.prompt_tokens_details, name, tokens)


def _count(tokens: int | None) -> int:
    """Return a count as uint64 can hold it."""
    return tokens if tokens and tokens > 0 else 0
