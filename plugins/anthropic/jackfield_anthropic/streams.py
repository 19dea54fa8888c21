"""From the events of a streamed reply to ``Delta``, ``Finish`` and ``Usage``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from jackfield import Delta, Event, Finish, ReasoningPart, TextPart, ToolCallPart
from jackfield.upstream import token_count
from jackfield_anthropic.opaque import Signed, seal
from jackfield_anthropic.replies import arguments_text, finish_reason, refusal, signed, usage
from jackfield_anthropic.structure import check_unforced
from jackfield_anthropic.wire import OutputDetails, ReplyBlock, ReplyDelta, ReplyEvent, ReplyUsage

__all__ = ["StreamReader"]


@dataclass(slots=True)
class _Open:
    """A block that is being written: how it began, its call's position, and whether any input has come.

    The tool whose input is the reply has no position; a second call of it is muted.
    """

    block: ReplyBlock
    position: int | None = None
    written: bool = False
    muted: bool = False
    signature: list[str] = field(default_factory=list)


class StreamReader:
    """Turns a stream's events into ours; one per reply.

    Args:
        model: what was asked, for servers that don't say what answered.
        answer: the name of the tool whose input is the reply's text; empty if there is none.
    """

    def __init__(self, *, model: str, answer: str) -> None:
        self._model = model
        self._answer = answer
        self._open: dict[int, _Open] = {}
        self._thought: list[Signed] = []
        self._calls = 0
        self._answered = False
        self._spoken = False
        self._held: list[str] = []  # Text where an answer is due, of whose JSON it is no part.
        self._reason: str | None = None
        self._usage: ReplyUsage | None = None
        self.started = False
        """Whether anything of the reply has been understood."""
        self.over = False
        """Whether the event has come that ends a reply."""

    @property
    def complete(self) -> bool:
        """Whether the reply has told how it ended."""
        return self.over or self._reason is not None

    def read(self, event: ReplyEvent) -> Iterator[Event]:
        """Give the events of one event; those of unknown types, and pings, give none."""
        if event.type == "content_block_delta":
            opened = self._open.get(event.index)
            if event.delta is not None and opened is not None:
                yield from self._add(opened, event.delta)
        elif event.type == "content_block_start":
            yield from self._begin(event.index, event.content_block or ReplyBlock())
        elif event.type == "content_block_stop":
            opened = self._open.pop(event.index, None)
            if opened is not None:
                yield from self._end(opened)
        elif event.type == "message_start" and event.message is not None:
            self.started = True
            self._model = event.message.model or self._model
            self._count(event.message.usage)
        elif event.type == "message_delta":
            self._count(event.usage)
            yield from self._conclude(event.delta or ReplyDelta())
        elif event.type == "message_stop":
            self.over = True

    def finish(self) -> Iterator[Event]:
        """Give the end of the reply, and the usage if the server told it.

        Raises:
            ProviderError: the answer that is due is not there.
        """
        for opened in self._open.values():
            yield from self._end(opened)
        reason = finish_reason(self._reason, called=bool(self._calls))
        if self._answer and not self._answered:
            text = "".join(self._held)
            if reason == "stop":
                check_unforced(text)
            if text:
                yield Delta(TextPart(text))
        yield Finish(reason, 0, self._model)
        if self._usage is not None:
            yield usage(self._usage)

    def _begin(self, index: int, block: ReplyBlock) -> Iterator[Event]:
        self.started = True
        opened = self._open[index] = _Open(block)
        if block.type == "tool_use" and self._answer and block.name == self._answer:
            opened.muted, self._answered = self._answered, True
        elif block.type == "tool_use":
            opened.position = self._calls
            self._calls += 1
            yield Delta(ToolCallPart(opened.position, block.id or "", block.name or "", opaque=seal(self._thought)))
            self._thought.clear()
        elif block.type == "text" and block.text:
            yield from self._say(block.text)
        elif block.type == "thinking" and block.thinking:
            yield Delta(ReasoningPart(block.thinking))

    def _add(self, opened: _Open, delta: ReplyDelta) -> Iterator[Event]:
        if delta.type == "text_delta" and delta.text:
            yield from self._say(delta.text)
        elif delta.type == "input_json_delta" and delta.partial_json:
            opened.written = True
            yield from self._input(opened, delta.partial_json)
        elif delta.type == "thinking_delta" and delta.thinking:
            yield Delta(ReasoningPart(delta.thinking))
        elif delta.type == "signature_delta" and delta.signature:
            opened.signature.append(delta.signature)

    def _end(self, opened: _Open) -> Iterator[Event]:
        block = opened.block
        if block.type == "tool_use" and not opened.written:
            yield from self._input(opened, arguments_text(block))
        elif block.type in {"thinking", "redacted_thinking"}:
            whole = "".join([block.signature or "", *opened.signature])
            sealed = signed(msgspec.structs.replace(block, signature=whole))
            if sealed is not None:
                self._thought.append(sealed)
                yield Delta(ReasoningPart("", seal([sealed])))

    def _input(self, opened: _Open, text: str) -> Iterator[Event]:
        if opened.position is not None:
            yield Delta(ToolCallPart(opened.position, arguments=text))
        elif not opened.muted:
            yield Delta(TextPart(text))

    def _say(self, text: str) -> Iterator[Event]:
        self._spoken = True
        if self._answer:
            self._held.append(text)
        else:
            yield Delta(TextPart(text))

    def _conclude(self, delta: ReplyDelta) -> Iterator[Event]:
        self._reason = delta.stop_reason or self._reason
        words = refusal(delta.stop_details)
        if words and not (self._spoken or self._answered or self._calls):
            yield Delta(TextPart(words))

    def _count(self, counts: ReplyUsage | None) -> None:
        """Take the latest counts; what an event doesn't tell again, or tells as no count, stays as it was."""
        if counts is None:
            return
        told = msgspec.structs.asdict(counts).items()
        latest = {
            name: value for name, value in told if isinstance(value, OutputDetails) or token_count(value) is not None
        }
        self._usage = msgspec.structs.replace(self._usage or ReplyUsage(), **latest)
