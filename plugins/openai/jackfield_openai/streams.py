"""From the events of a streamed reply to ``Delta``, ``Finish`` and ``Usage``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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
from jackfield_openai.replies import arguments_text, finish_reason, reasoning_text, text, usage
from jackfield_openai.wire import ChatChunk, ChunkChoice, ReplyCall

__all__ = ["StreamReader"]


@dataclass(slots=True)
class _Call:
    position: int
    id: str


@dataclass(slots=True)
class _Choice:
    reason: str | None = None
    calls: dict[int, _Call] = field(default_factory=dict)
    count: int = 0


class StreamReader:
    """Turns chunks into events; one per reply.

    The ends are held back until the stream is over, as some servers write on after a finish reason, and others repeat
    it or send usage with every chunk.
    """

    def __init__(self, *, model: str, reasons: Mapping[str, FinishReason]) -> None:
        self._model = model
        self._reasons = reasons
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
        state = self._choices.get(choice.index)
        if state is None:
            state = self._choices[choice.index] = _Choice()
        if choice.finish_reason:
            state.reason = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return
        if reasoning := reasoning_text(delta):
            yield Delta(ReasoningPart(reasoning), choice.index)
        if written := text(delta):
            yield Delta(TextPart(written), choice.index)
        for call in delta.tool_calls or ():
            yield Delta(_piece(state, call), choice.index)

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
            ProviderError: there was no choice at all.
        """
        if not self._choices:
            raise ProviderError("empty response: the provider's stream has no choices")
        for index, state in sorted(self._choices.items()):
            reason = finish_reason(state.reason, self._reasons, called=bool(state.count))
            yield Finish(reason, index, self._model)
        if self._usage is not None:
            yield self._usage


def _piece(state: _Choice, call: ReplyCall) -> ToolCallPart:
    """Find the call that a piece belongs to.

    Servers that don't number their calls, or number all of them 0, are told apart by a new id.
    """
    number = call.index if call.index is not None else max(state.calls, default=0)
    known = state.calls.get(number)
    function = call.function
    arguments = arguments_text(function.arguments) if function else ""
    if known is not None and (not call.id or call.id == known.id):
        return ToolCallPart(known.position, arguments=arguments)
    state.calls[number] = _Call(state.count, call.id or "")
    state.count += 1
    return ToolCallPart(state.count - 1, call.id or "", (function and function.name) or "", arguments)
