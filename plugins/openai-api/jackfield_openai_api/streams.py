"""Streamed replies: objects ``chat.completion.chunk`` as Server-Sent Events, then ``[DONE]``."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from jackfield import Delta, Event, Finish, ReasoningPart, Record, RequestError, TextPart, ToolCall, ToolCallPart, Usage
from jackfield.frontends import SSE_HEARTBEAT, SSE_TYPE, encode_json, sse
from jackfield_openai_api.errors import error_body
from jackfield_openai_api.replies import ChatUsage, call_id, encode_usage

__all__ = ["ChunkEncoder"]

_DONE: Final = sse(b"[DONE]")


class _Function(Struct, frozen=True, gc=False):
    arguments: str
    name: str | UnsetType = UNSET


class _CallPiece(Struct, frozen=True, kw_only=True):
    index: int
    id: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    function: _Function


class _Delta(Struct, frozen=True, kw_only=True):
    role: str | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[_CallPiece] | UnsetType = UNSET


class _Choice(Struct, frozen=True, kw_only=True):
    index: int
    delta: _Delta
    logprobs: None = None
    finish_reason: str | None = None


class _Chunk(Struct, frozen=True, kw_only=True):
    id: str
    object: str = "chat.completion.chunk"
    created: int
    model: str
    choices: list[_Choice]
    usage: ChatUsage | UnsetType | None = UNSET


class ChunkEncoder:
    """Writes one streamed reply; a ``StreamEncoder``.

    Args:
        completion_id: the reply's id.
        created: seconds since 1970.
        model: what the caller asked for; what answered takes its place as soon as the provider says so.
        include_usage: end with a chunk that has the usage and no choice; the others then have ``usage: null``.
    """

    media_type = SSE_TYPE
    heartbeat = SSE_HEARTBEAT

    def __init__(self, *, completion_id: str, created: int, model: str, include_usage: bool) -> None:
        self._id = completion_id
        self._created = created
        self._model = model
        self._include_usage = include_usage
        self._usage: ChatUsage | None = None
        self._begun: set[int] = set()
        self._calls: set[tuple[int, int]] = set()

    def event(self, event: Event) -> bytes:
        """Write an event. The usage waits for the end."""
        if isinstance(event, Delta):
            return self._delta(event)
        if isinstance(event, Finish):
            self._model = event.model or self._model
            content = UNSET if event.index in self._begun else ""
            delta = _Delta(role=self._role(event.index), content=content)
            return self._chunk(_Choice(index=event.index, delta=delta, finish_reason=event.reason))
        if isinstance(event, Usage):
            self._usage = encode_usage(event)
        return b""

    def end(self, record: Record) -> bytes:  # noqa: ARG002  this API has no place for it
        """Write the usage, where it was asked for and is known, and ``[DONE]``."""
        if not self._include_usage or self._usage is None:
            return _DONE
        last = _Chunk(id=self._id, created=self._created, model=self._model, choices=[], usage=self._usage)
        return sse(encode_json(last)) + _DONE

    def error(self, error: RequestError) -> bytes:
        """Write an error as the last event; OpenAI's clients raise it."""
        return sse(error_body(error))

    def _delta(self, event: Delta) -> bytes:
        part, index = event.part, event.index
        if isinstance(part, TextPart):
            if not part.text:
                return b""
            delta = _Delta(role=self._role(index), content=part.text)
        elif isinstance(part, ReasoningPart):
            if not part.text:
                return b""
            delta = _Delta(role=self._role(index), reasoning_content=part.text)
        elif isinstance(part, ToolCallPart):
            if (index, part.position) in self._calls and not part.arguments:
                return b""
            content = UNSET if index in self._begun else None
            delta = _Delta(role=self._role(index), content=content, tool_calls=[self._call(part, index)])
        else:
            return b""
        return self._chunk(_Choice(index=index, delta=delta))

    def _role(self, index: int) -> str | UnsetType:
        if index in self._begun:
            return UNSET
        self._begun.add(index)
        return "assistant"

    def _call(self, part: ToolCallPart, index: int) -> _CallPiece:
        key = index, part.position
        if key in self._calls:
            # Data that the provider wants back and that comes only now is left out: LangChain takes another id for
            # another call.
            return _CallPiece(index=part.position, function=_Function(part.arguments))
        self._calls.add(key)
        call = ToolCall(part.id, part.name, "", part.opaque)
        function = _Function(part.arguments, part.name)
        return _CallPiece(index=part.position, id=call_id(call), type="function", function=function)

    def _chunk(self, choice: _Choice) -> bytes:
        usage = None if self._include_usage else UNSET
        chunk = _Chunk(id=self._id, created=self._created, model=self._model, choices=[choice], usage=usage)
        return sse(encode_json(chunk))
