"""Masking of one choice while it is being written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from jackfield import ReasoningPart, Record, Scrubber, ScrubStream, Span, TextPart, ToolCallPart
from jackfield.builtin.scrub.mask import Mask, unknown
from jackfield.builtin.scrub.runner import Runner, count

__all__ = ["ChoiceStream"]


class ChoiceStream:
    """Masks the pieces of one choice.

    Text and reasoning are each one text from the choice's first piece to its ``Finish``, however they alternate: an
    end between them would cut an entity in two, and show both halves.

    Args:
        scrubber: has been started.
        runner: runs it.
        record: where what was masked is counted.
    """

    def __init__(self, scrubber: Scrubber[Any], runner: Runner, record: Record) -> None:
        self._scrubber = scrubber
        self._runner = runner
        self._record = record
        self._text: _Text | None = None
        self._reasoning: _Text | None = None
        self._calls: dict[int, list[ToolCallPart]] = {}

    async def feed(self, part: TextPart | ReasoningPart | ToolCallPart) -> TextPart | ReasoningPart | None:
        """Take the next piece, and give what may be shown by now.

        Raises:
            InvokeError: the piece is of a kind that can't be scrubbed, or the scrubber failed.
        """
        kind = type(part)
        if isinstance(part, TextPart) and kind is TextPart:
            self._text = self._text or await self._begin()
            text = await self._text.feed(part.text)
            return TextPart(text) if text else None
        if isinstance(part, ReasoningPart) and kind is ReasoningPart:
            self._reasoning = self._reasoning or await self._begin()
            text = await self._reasoning.feed(part.text)
            return ReasoningPart(text, part.signature) if text or part.signature else None
        if isinstance(part, ToolCallPart) and kind is ToolCallPart:
            self._calls.setdefault(part.position, []).append(part)
            return None
        raise unknown(part)

    async def end(self) -> list[TextPart | ReasoningPart | ToolCallPart]:
        """Give the rest: reasoning, text, and each tool call in one piece.

        Raises:
            InvokeError: the scrubber failed.
        """
        rest: list[TextPart | ReasoningPart | ToolCallPart] = []
        if self._reasoning and (text := await self._reasoning.end()):
            rest.append(ReasoningPart(text))
        if self._text and (text := await self._text.end()):
            rest.append(TextPart(text))
        return rest + await self._whole_calls()

    async def _begin(self) -> _Text:
        stream = await self._runner.run(self._scrubber.stream, 0)
        if stream is None:
            return _HeldText(self._scrubber, self._runner, self._record)
        return _FlowingText(stream, self._runner, self._record)

    async def _whole_calls(self) -> list[ToolCallPart]:
        calls = [
            ToolCallPart(
                position,
                next((piece.id for piece in pieces if piece.id), ""),
                next((piece.name for piece in pieces if piece.name), ""),
                "".join(piece.arguments for piece in pieces),
                next((piece.opaque for piece in pieces if piece.opaque), ""),
            )
            for position, pieces in sorted(self._calls.items())
        ]

        def work() -> tuple[list[ToolCallPart], list[str]]:
            mask = Mask(self._scrubber.find)
            treated = [replace(call, arguments=mask.arguments(call.arguments)) for call in calls]
            return treated, mask.entities

        if not calls:
            return calls
        treated, entities = await self._runner.run(work, sum(len(call.arguments) for call in calls))
        count(self._record, entities)
        return treated


class _FlowingText:
    """A text whose scrubber says what is settled."""

    def __init__(self, stream: ScrubStream, runner: Runner, record: Record) -> None:
        self._stream = stream
        self._runner = runner
        self._record = record
        self._held = 0

    async def feed(self, text: str) -> str:
        if not text:
            return ""
        given = self._noted(await self._runner.run(lambda: self._stream.feed(text), len(text)))
        self._held = max(self._held + len(text) - len(given), 1)
        return given

    async def end(self) -> str:
        return self._noted(await self._runner.run(self._stream.end, self._held))

    def _noted(self, given: tuple[str, Sequence[Span]]) -> str:
        text, spans = given
        count(self._record, [span.entity for span in spans])
        return text


class _HeldText:
    """A text that can only be scrubbed when it is complete."""

    def __init__(self, scrubber: Scrubber[Any], runner: Runner, record: Record) -> None:
        self._scrubber = scrubber
        self._runner = runner
        self._record = record
        self._pieces: list[str] = []

    async def feed(self, text: str) -> str:
        self._pieces.append(text)
        return ""

    async def end(self) -> str:
        whole = "".join(self._pieces)
        mask = Mask(self._scrubber.find)
        text = await self._runner.run(lambda: mask.text(whole), len(whole))
        count(self._record, mask.entities)
        return text


_Text = _FlowingText | _HeldText
