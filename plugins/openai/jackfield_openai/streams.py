"""From the events of a streamed reply to ``Delta``, ``Finish`` and ``Usage``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jackfield import (
    Delta,
    Event,
    Finish,
    FinishReason,
    ProviderError,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    Usage,
)
from jackfield.upstream import stated_error
from jackfield_openai.answers import answer_reason, no_answer
from jackfield_openai.replies import (
    Opaque,
    arguments_text,
    details,
    finish_reason,
    nothing_opaque,
    reasoning_text,
    text,
    usage,
)
from jackfield_openai.wire import ChatChunk, ChunkChoice, ReplyCall

__all__ = ["StreamReader"]


@dataclass(slots=True)
class _Call:
    """A call. It is held back until id and name are known, which some servers send one after the other."""

    id: str
    name: str
    opaque: str
    position: int | None = None

    def goes_on(self, piece: ReplyCall, name: str) -> bool:
        """Say whether a piece of the call's number is the call's.

        Servers that don't number their calls, or number all of them 0, are told apart by a new id, or by a name where
        there is neither.
        """
        if piece.id and piece.id != self.id:
            return not self.id and (not name or (self.position is None and name == self.name))
        return bool(piece.id) or piece.index is not None or not (name and self.name)


@dataclass(slots=True)
class _Choice:
    reason: str | None = None
    calls: dict[int, _Call] = field(default_factory=dict)
    count: int = 0
    answered: bool = False
    held: list[str] = field(default_factory=list)
    details: list[Mapping[str, Any]] = field(default_factory=list)
    told: bool = False


_ANSWER = -1
"""The position of the call whose arguments are the reply's text."""

_REPEATED = -2
"""The position of a second answer, which is dropped."""


class StreamReader:
    """Turns chunks into events; one per reply.

    The ends are held back until the stream is over, as some servers write on after a finish reason, and others repeat
    it or send usage with every chunk.

    Args:
        model: what was asked, for servers that don't say what answers.
        reasons: the meanings of the server's finish reasons.
        answer: the tool whose arguments are the reply's text; empty if there is none. Other text is held back, as
            models announce a call.
        opaque: finds what the server wants back with a call.
    """

    def __init__(
        self,
        *,
        model: str,
        reasons: Mapping[str, FinishReason],
        answer: str = "",
        opaque: Opaque = nothing_opaque,
    ) -> None:
        self._model = model
        self._reasons = reasons
        self._answer = answer
        self._opaque = opaque
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None

    def read(self, chunk: ChatChunk) -> Iterator[Event]:
        """Give the events of one chunk."""
        if chunk.model:
            self._model = chunk.model
        if chunk.usage is not None:
            self._usage = usage(chunk.usage)
        for choice in chunk.choices or ():
            yield from self._read_choice(choice)

    def _read_choice(self, choice: ChunkChoice) -> Iterator[Event]:
        if choice.error:
            raise stated_error(choice.error)
        index = choice.index or 0
        state = self._choices.get(index)
        if state is None:
            state = self._choices[index] = _Choice()
        if choice.finish_reason:
            state.reason = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return
        if delta.reasoning_details:
            state.details += details(delta)
        if reasoning := reasoning_text(delta):
            yield Delta(ReasoningPart(reasoning), index)
        if written := text(delta):
            if self._answer:
                state.held.append(written)
            else:
                yield Delta(TextPart(written), index)
        if delta.tool_calls:
            yield from self._read_calls(state, delta.tool_calls, index)

    def _read_calls(self, state: _Choice, calls: Sequence[ReplyCall], index: int) -> Iterator[Event]:
        for call in calls:
            for piece in self._pieces(state, call):
                yield from _delta(piece, index)

    def _pieces(self, state: _Choice, call: ReplyCall) -> Iterator[ToolCallPart]:
        """Find the call that a piece belongs to."""
        number = call.index if call.index is not None else max(state.calls, default=0)
        known = state.calls.get(number)
        name = (call.function and call.function.name) or ""
        arguments = arguments_text(call.function.arguments) if call.function else ""
        opaque = self._opaque(call, ())
        if known is None or not known.goes_on(call, name):
            if known is not None and known.position is None:
                yield self._begin(state, known)
            known = state.calls[number] = _Call(call.id or "", name, opaque)
            if not arguments and not (known.id and known.name):
                return
        elif known.position is not None:
            late, known.id = "" if known.id else call.id or "", known.id or call.id or ""
            yield ToolCallPart(known.position, late, arguments=arguments, opaque=opaque)
            return
        else:
            known.id, known.name = known.id or call.id or "", known.name or name
            known.opaque = known.opaque or opaque
        yield self._begin(state, known, arguments)

    def _begin(self, state: _Choice, call: _Call, arguments: str = "") -> ToolCallPart:
        """Give a call's first piece and its position."""
        if self._answer and call.name == self._answer:
            call.position = _REPEATED if state.answered else _ANSWER
            state.answered = True
        else:
            call.position = state.count
            state.count += 1
        opaque = call.opaque
        if call.position == 0 and not opaque and state.details:
            # Thinking comes before the calls that it leads to. A front end may have no place for its data but the id,
            # which leaves with this piece.
            opaque = self._opaque(ReplyCall(), state.details)
            state.told = bool(opaque)
        return ToolCallPart(call.position, call.id, call.name, arguments, opaque)

    @property
    def complete(self) -> bool:
        """Whether there are choices, and each has told how it ended."""
        return bool(self._choices) and all(state.reason for state in self._choices.values())

    @property
    def started(self) -> bool:
        """Whether any choice has been seen."""
        return bool(self._choices)

    def finish(self) -> Iterator[Event]:
        """Give the end of each choice, and the usage if the server told it.

        Raises:
            ProviderError: there was no choice at all, one failed, or a structured answer is missing.
        """
        if not self._choices:
            raise ProviderError("empty response: the provider's stream has no choices")
        ends: list[Finish] = []
        for index, state in sorted(self._choices.items()):
            for call in state.calls.values():
                if call.position is None:
                    yield from _delta(self._begin(state, call), index)
            reason = finish_reason(state.reason, self._reasons, called=bool(state.count))
            if state.answered:
                reason = answer_reason(reason, called=bool(state.count))
            elif self._answer and reason == "stop":
                raise no_answer()
            else:
                for held in state.held:
                    yield Delta(TextPart(held), index)
            if (
                state.count
                and state.details
                and not state.told
                and (opaque := self._opaque(ReplyCall(), state.details))
            ):
                yield Delta(ToolCallPart(0, opaque=opaque), index)
            ends.append(Finish(reason, index, self._model))
        yield from ends
        if self._usage is not None:
            yield self._usage


def _delta(piece: ToolCallPart, index: int) -> Iterator[Delta]:
    """Give a piece of a call as an event; one of the answer is text, and one of a second answer nothing."""
    if piece.position >= 0:
        yield Delta(piece, index)
    elif piece.position == _ANSWER and piece.arguments:
        yield Delta(TextPart(piece.arguments), index)
