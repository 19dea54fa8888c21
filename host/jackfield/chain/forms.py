"""Gathering a streamed reply into a whole one; ``Result.events`` goes the other way.

The two forms meet next to the provider and nowhere else, so that no feature exists for one form alone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from jackfield.errors import ProviderError
from jackfield.events import Choice, Delta, Event, Finish, FinishReason, Result, ToolCallPart, Usage
from jackfield.messages import Part, ReasoningPart, TextPart, ToolCall

__all__ = ["collect"]


async def collect(events: AsyncGenerator[Event, None]) -> Result:
    """Gather a streamed reply into a whole one.

    Raises:
        ProviderError: the stream ended before a choice was finished.
        TypeError: an event or a part is of a kind that has no place in a whole reply.
    """
    choices: dict[int, _Choice] = {}
    usage: Usage | None = None
    model = ""
    async with aclosing(events) as stream:
        async for event in stream:
            if isinstance(event, Delta):
                choices.setdefault(event.index, _Choice()).add(event.part)
            elif isinstance(event, Finish):
                choices.setdefault(event.index, _Choice()).reason = event.reason
                model = event.model or model
            elif isinstance(event, Usage):
                usage = event
            elif isinstance(event, Result):
                return event
            else:
                raise _unknown(event)
    if not choices or any(choice.reason is None for choice in choices.values()):
        raise ProviderError("the provider's reply ended before it was finished")
    return Result(tuple(choices[index].whole() for index in sorted(choices)), model, usage)


def _unknown(kind: object) -> TypeError:
    return TypeError(f"{type(kind).__name__} has no place in a whole reply")


class _Choice:
    """One choice while its pieces arrive.

    Pieces of one kind that follow each other become one part; a signature ends its piece of reasoning.
    """

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self._parts: list[Part] = []
        self._texts: list[str] = []
        self._calls: dict[int, list[ToolCallPart]] = {}

    def add(self, part: TextPart | ReasoningPart | ToolCallPart) -> None:
        if isinstance(part, ToolCallPart):
            self._calls.setdefault(part.position, []).append(part)
            return
        if not isinstance(part, TextPart | ReasoningPart):
            raise _unknown(part)
        last = self._parts[-1] if self._parts else None
        if type(last) is type(part) and not (isinstance(last, ReasoningPart) and last.signature):
            self._texts.append(part.text)
            if isinstance(part, ReasoningPart) and part.signature:
                self._parts[-1] = part
            return
        self._close_part()
        self._parts.append(part)
        self._texts = [part.text]

    def _close_part(self) -> None:
        if not self._parts:
            return
        text, last = "".join(self._texts), self._parts[-1]
        self._parts[-1] = ReasoningPart(text, last.signature) if isinstance(last, ReasoningPart) else TextPart(text)

    def whole(self) -> Choice:
        self._close_part()
        calls = tuple(
            ToolCall(
                next((piece.id for piece in pieces if piece.id), ""),
                next((piece.name for piece in pieces if piece.name), ""),
                "".join(piece.arguments for piece in pieces),
                next((piece.opaque for piece in pieces if piece.opaque), ""),
            )
            for _, pieces in sorted(self._calls.items())
        )
        return Choice(tuple(self._parts), calls, self.reason or "stop")
