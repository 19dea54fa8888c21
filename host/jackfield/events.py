"""What a chain answers: ``Event = Delta | Finish | Usage | Result``.

A request without ``stream`` gets exactly one ``Result``. One with it gets ``Delta*``, one ``Finish`` per choice, then
at most one ``Usage``. Both unions grow: a stage passes on what it doesn't know.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from jackfield.messages import Part, ReasoningPart, TextPart, ToolCall

__all__ = [
    "Choice",
    "Delta",
    "DeltaPart",
    "Event",
    "Finish",
    "FinishReason",
    "Result",
    "ToolCallPart",
    "Usage",
]

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]
"""Why a choice ended."""


class ToolCallPart(Struct, frozen=True, tag="tool_call", gc=False):
    """A piece of a tool call while it is being written.

    Attributes:
        position: which of the choice's calls this belongs to, counted from 0.
        id: the call's id; in its first piece only.
        name: the function's name; in its first piece only.
        arguments: the next piece of the JSON text.
        opaque: the call's opaque data; in one of its pieces, and the first if it is known by then: a front end that
            writes it into the id, which leaves with that piece, has no later place for it.
    """

    position: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    opaque: str = ""

    def __repr__(self) -> str:
        return f"ToolCallPart({self.position}, {self.id!r}, {self.name!r}, {len(self.arguments)} characters)"


DeltaPart: TypeAlias = TextPart | ReasoningPart | ToolCallPart


class Delta(Struct, frozen=True, tag="delta", gc=False):
    """The next piece of one choice."""

    part: DeltaPart
    index: int = 0


class Finish(Struct, frozen=True, tag="finish", gc=False):
    """The end of one choice; ``model`` is what the provider says answered, empty if it doesn't."""

    reason: FinishReason
    index: int = 0
    model: str = ""


class Usage(Struct, frozen=True, tag="usage", gc=False):
    """Tokens read and written. A detail is None where the provider doesn't tell."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int | None = None
    prompt_audio_tokens: int | None = None
    reasoning_tokens: int | None = None
    completion_audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class Choice(Struct, frozen=True):
    """One complete answer."""

    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "stop"

    @property
    def text(self) -> str:
        """The text parts in one string; reasoning is not part of it."""
        parts = self.parts
        if len(parts) == 1 and type(parts[0]) is TextPart:
            return parts[0].text
        return "".join(part.text for part in parts if isinstance(part, TextPart))


class Result(Struct, frozen=True, tag="result"):
    """A whole reply.

    Attributes:
        choices: one per answer, in order.
        model: what the provider says answered; empty if it doesn't.
        usage: None where the provider doesn't tell.
    """

    choices: tuple[Choice, ...]
    model: str = ""
    usage: Usage | None = None

    @classmethod
    def of_text(cls, text: str, *, model: str = "", usage: Usage | None = None) -> Result:
        """A reply of one choice that is nothing but text."""
        return cls(choices=(Choice(parts=(TextPart(text),)),), model=model, usage=usage)

    def events(self) -> list[Event]:
        """The events of the same reply as a stream: its parts, a ``Finish`` per choice, then the usage."""
        events: list[Event] = []
        for index, choice in enumerate(self.choices):
            events += [Delta(part, index) for part in choice.parts]
            events += [
                Delta(ToolCallPart(position, call.id, call.name, call.arguments, call.opaque), index)
                for position, call in enumerate(choice.tool_calls)
            ]
        events += [Finish(choice.finish_reason, index, self.model) for index, choice in enumerate(self.choices)]
        return events if self.usage is None else [*events, self.usage]


Event: TypeAlias = Delta | Finish | Usage | Result
"""What a chain yields; a stage passes on what it doesn't know."""
