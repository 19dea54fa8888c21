"""Streamed replies of ``POST /v1.0-alpha2/conversation/{name}/converse``: alpha2's own shape, piece by piece.

Dapr's API has no streaming; this is the form in which its reply would come in pieces. Each ``data:`` is an object like
a whole reply, with ``delta`` in place of ``message``; ``event: done`` ends a reply that is whole.
"""

from __future__ import annotations

from msgspec import Struct

from jackfield.errors import RequestError
from jackfield.events import Delta, Event, Finish, ToolCallPart, Usage
from jackfield.frontends.dialect import SSE_HEARTBEAT, SSE_TYPE, sse
from jackfield.http.alpha2_reply import Alpha2Usage, encode_usage
from jackfield.http.facts import overhead_ms
from jackfield.http.wire import encode, encode_error
from jackfield.messages import ConversationRequest, Record, TextPart, ToolCall
from jackfield.opaque import carried_id

__all__ = ["Alpha2Stream", "StreamEnd", "StreamPiece"]


class FunctionPiece(Struct, frozen=True, omit_defaults=True, gc=False):
    """A piece of a called function."""

    name: str = ""
    arguments: str = ""


class ToolCallPiece(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a tool call; ``index`` is its place among the choice's calls, left out for 0."""

    index: str = ""
    id: str = ""
    function: FunctionPiece


class DeltaPiece(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a piece adds to its choice's message."""

    content: str = ""
    tool_calls: list[ToolCallPiece] = []


class ChoicePiece(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A piece of a choice; ``index`` is the choice's place, left out for 0."""

    finish_reason: str = ""
    index: str = ""
    delta: DeltaPiece


class OutputPiece(Struct, frozen=True, omit_defaults=True):
    """A piece of an output, with its one choice."""

    choices: list[ChoicePiece]
    model: str = ""


class StreamPiece(Struct, frozen=True):
    """The object of a ``data:`` line."""

    outputs: list[OutputPiece]


class StreamRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """How a reply came about."""

    request_id: str = ""
    component: str = ""
    cache: str = ""
    age: int | None = None
    ignored: list[str] = []
    overhead_ms: float


class StreamEnd(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The object of ``event: done``."""

    context_id: str = ""
    usage: Alpha2Usage | None = None
    record: StreamRecord


class Alpha2Stream:
    """Writes one streamed reply; a ``StreamEncoder``.

    Args:
        request: what was asked; its ``context_id`` comes back at the end if it isn't empty.
    """

    media_type = SSE_TYPE
    heartbeat = SSE_HEARTBEAT

    def __init__(self, request: ConversationRequest) -> None:
        self._context_id = request.context_id
        self._usage: Alpha2Usage | None = None

    def event(self, event: Event) -> bytes:
        """Write an event. Reasoning has no field here and is left out; usage stands at the end."""
        kind = type(event)
        if kind is Delta:
            return _delta(event)  # type: ignore[arg-type]  # its type was just looked at
        if kind is Finish:
            return _finish(event)  # type: ignore[arg-type]
        if isinstance(event, Usage):
            self._usage = encode_usage(event)
        return b""

    def end(self, record: Record) -> bytes:
        """Write ``event: done``."""
        told = StreamRecord(
            request_id=record.request_id,
            component=record.served_by,
            cache=record.cache,
            age=None if record.cache_age is None else int(record.cache_age),
            ignored=list(record.ignored),
            overhead_ms=round(overhead_ms(record), 3),
        )
        return sse(encode(StreamEnd(context_id=self._context_id, usage=self._usage, record=told)), "done")

    def error(self, error: RequestError) -> bytes:
        """Write ``event: error``, with the object that an error's reply has."""
        return sse(encode_error(error), "error")


def _delta(event: Delta) -> bytes:
    part = event.part
    if type(part) is TextPart:
        if not part.text:
            return b""
        delta = DeltaPiece(part.text)
    elif isinstance(part, ToolCallPart):
        call = ToolCall(part.id, part.name, part.arguments, part.opaque)
        function = FunctionPiece(part.name, part.arguments)
        piece = ToolCallPiece(index=_index(part.position), id=carried_id(call), function=function)
        delta = DeltaPiece(tool_calls=[piece])
    else:
        return b""
    return sse(encode(StreamPiece([OutputPiece([ChoicePiece(index=_index(event.index), delta=delta)])])))


def _finish(event: Finish) -> bytes:
    choice = ChoicePiece(finish_reason=event.reason, index=_index(event.index), delta=DeltaPiece())
    return sse(encode(StreamPiece([OutputPiece([choice], event.model)])))


def _index(place: int) -> str:
    return str(place) if place else ""
