"""From the events of ConverseStream to ``Delta``, ``Finish`` and ``Usage``."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jackfield import Delta, Event, Finish, ReasoningPart, TextPart, ToolCallPart, Usage
from jackfield_bedrock.opaque import pack, reasoning_part
from jackfield_bedrock.replies import finish_reason, no_structure, usage
from jackfield_bedrock.requests import Call
from jackfield_bedrock.shapes import text

__all__ = ["StreamReader"]


@dataclass(slots=True)
class _Tool:
    position: int  # -1 for the structure
    written: bool = False


@dataclass(slots=True)
class _Thought:
    signature: str = ""
    hidden: bytes = b""


@dataclass(slots=True)
class StreamReader:
    """Turns events into the host's; one per reply.

    Where a structure is asked for, other text is held back: it is shown only if the reply ends without the structure
    for a reason of its own, such as a guardrail.
    """

    call: Call
    _tools: dict[int, _Tool] = field(default_factory=dict)
    _thoughts: dict[int, _Thought] = field(default_factory=dict)
    _held: list[str] = field(default_factory=list)
    _count: int = 0
    _structured: bool = False
    _reason: str = ""
    _usage: Usage | None = None

    @property
    def complete(self) -> bool:
        """Whether the reply has told how it ended."""
        return bool(self._reason)

    def read(self, event: Mapping[str, Any]) -> Iterator[Event]:
        """Give the events of one event."""
        for kind, content in event.items():
            if kind == "contentBlockStart":
                yield from self._start(content)
            elif kind == "contentBlockDelta":
                yield from self._delta(content["contentBlockIndex"], content["delta"])
            elif kind == "contentBlockStop":
                yield from self._stop(content["contentBlockIndex"])
            elif kind == "messageStop":
                self._reason = text(content["stopReason"])
            elif kind == "metadata" and content.get("usage"):
                self._usage = usage(content["usage"])

    def _start(self, content: Mapping[str, Any]) -> Iterator[Event]:
        use = (content.get("start") or {}).get("toolUse")
        if use is None:
            return
        if self.call.structure and use["name"] == self.call.structure:
            self._tools[content["contentBlockIndex"]] = _Tool(-2 if self._structured else -1)
            self._structured = True
            return
        position = self._count
        self._count += 1
        self._tools[content["contentBlockIndex"]] = _Tool(position)
        opaque = "" if position else self._opaque()
        yield Delta(ToolCallPart(position, text(use.get("toolUseId")), text(use["name"]), "", opaque))

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Iterator[Event]:
        if said := text(delta.get("text")):
            if self.call.structure:
                self._held.append(said)
            else:
                yield Delta(TextPart(said))
        elif use := delta.get("toolUse"):
            yield from self._piece(index, text(use.get("input")))
        elif thought := delta.get("reasoningContent"):
            yield from self._think(index, thought)

    def _piece(self, index: int, said: str) -> Iterator[Event]:
        tool = self._tools.get(index)
        if tool is None or not said:
            return
        tool.written = True
        if tool.position == -1:
            yield Delta(TextPart(said))
        elif tool.position >= 0:
            yield Delta(ToolCallPart(tool.position, arguments=said))

    def _think(self, index: int, delta: Mapping[str, Any]) -> Iterator[Event]:
        thought = self._thoughts.setdefault(index, _Thought())
        thought.signature += text(delta.get("signature"))
        hidden = delta.get("redactedContent") or b""
        thought.hidden += b64decode(hidden) if isinstance(hidden, str) else hidden
        if said := text(delta.get("text")):
            yield Delta(ReasoningPart(said))

    def _stop(self, index: int) -> Iterator[Event]:
        """End a block: a call without arguments gets an empty object, and thinking its signature."""
        tool = self._tools.get(index)
        if tool is not None and not tool.written:
            yield from self._piece(index, "{}")
        if (thought := self._thoughts.get(index)) is not None:
            part = _signed(thought)
            if part.signature:
                yield Delta(part)

    def _opaque(self) -> str:
        return pack(_signed(thought) for thought in self._thoughts.values())

    def finish(self) -> Iterator[Event]:
        """Give the end, and the usage.

        Raises:
            ProviderError: the model wrote something unreadable, or not the structure that was asked for.
        """
        reason = finish_reason(self._reason, called=self._count > 0)
        if self.call.structure and not self._structured:
            if reason == "stop":
                raise no_structure()
            for said in self._held:
                yield Delta(TextPart(said))
        yield Finish(reason, 0, self.call.model)
        if self._usage is not None:
            yield self._usage


def _signed(thought: _Thought) -> ReasoningPart:
    if thought.hidden:
        return reasoning_part({"redactedContent": thought.hidden})
    return ReasoningPart("", thought.signature)
