"""A structured answer that came as the arguments of a tool: turned back into the reply's text."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield import Choice, FinishReason, ProviderError, ReasoningPart, TextPart

__all__ = ["answer_reason", "answered", "no_answer"]

_CUT_SHORT = frozenset({"length", "content_filter"})


def answered(choice: Choice, tool: str) -> Choice:
    """Return a choice with the answering tool's arguments as its text.

    Args:
        choice: what the model wrote.
        tool: the answering tool's name.

    Raises:
        ProviderError: the model ended with neither the answer nor the call of another tool.
    """
    answer = next((call.arguments for call in choice.tool_calls if call.name == tool), None)
    if answer is None:
        if not choice.tool_calls and choice.finish_reason not in _CUT_SHORT:
            raise no_answer()
        return choice
    rest = tuple([call for call in choice.tool_calls if call.name != tool])
    thinking = [part for part in choice.parts if isinstance(part, ReasoningPart)]
    return replace(
        choice,
        parts=(*thinking, TextPart(answer)),
        tool_calls=rest,
        finish_reason=answer_reason(choice.finish_reason, called=bool(rest)),
    )


def answer_reason(reason: FinishReason, *, called: bool) -> FinishReason:
    """Return how a choice with an answer ended; ``called`` is whether it holds calls of other tools too."""
    if reason in _CUT_SHORT:
        return reason
    return "tool_calls" if called else "stop"


def no_answer() -> ProviderError:
    """Make the error for a model that was told to answer in a structure and wrote something else."""
    return ProviderError(
        "the model wrote text in place of the structured answer that it was told to give; ask again, or ask a model"
        " that calls tools reliably"
    )
