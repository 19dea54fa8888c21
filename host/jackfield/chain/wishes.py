"""What a manifest adds to every request of its component, before any policy sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from jackfield.chain.handler import Handler, Stage
from jackfield.chain.unary import unary
from jackfield.events import Event, Result
from jackfield.messages import ConversationRequest, GenerationSettings

__all__ = ["generation_defaults", "one_conversation", "scrub_anew", "scrub_wishes"]

_Change: TypeAlias = Callable[[ConversationRequest], ConversationRequest]


def generation_defaults(defaults: GenerationSettings) -> Stage:
    """Give a request that comes from a router the settings of this manifest, where it has none of its own.

    A request that comes from a front end has them already: it was read with them.
    """
    given = {name: value for name in defaults.__struct_fields__ if (value := getattr(defaults, name)) is not None}
    if not given:
        return lambda handler: handler

    def add(request: ConversationRequest) -> ConversationRequest:
        settings = request.settings
        lacking: dict[str, Any] = {name: value for name, value in given.items() if getattr(settings, name) is None}
        return replace(request, settings=replace(settings, **lacking)) if lacking else request

    return lambda handler: _Changed(handler, add)


def one_conversation(handler: Handler) -> Handler:
    """Take out the wish for one choice per input, which a front end may have, for a type that can't fulfil it.

    It stands outside the cache: otherwise requests that get the same reply would share no entry.
    """

    def join(request: ConversationRequest) -> ConversationRequest:
        return replace(request, answer_each_input=False) if request.answer_each_input else request

    return _Changed(handler, join)


def scrub_wishes(direction: str | None) -> Stage:
    """Mark what the manifest's ``scrubPII`` covers; a request can add to it and can't undo it.

    Args:
        direction: ``input``, ``output``, ``both`` or None.
    """
    if direction is None:
        return lambda handler: handler
    into, out = direction in {"input", "both"}, direction in {"output", "both"}

    def mark(request: ConversationRequest) -> ConversationRequest:
        messages = request.messages
        if into:
            messages = tuple(message if message.scrub else replace(message, scrub=True) for message in messages)
        return replace(request, messages=messages, scrub_reply=request.scrub_reply or out)

    return lambda handler: _Changed(handler, mark)


def scrub_anew() -> Stage:
    """Take back that a scrub-out stage waits for the reply: a router's own doesn't stand in for those of its targets.

    Else a target without a scrubber would answer, and its cache keep what nobody has scrubbed.
    """

    def unmark(request: ConversationRequest) -> ConversationRequest:
        return replace(request, reply_scrubbed=False) if request.reply_scrubbed else request

    return lambda handler: _Changed(handler, unmark)


class _Changed:
    """A handler that only changes the request: the events are the inner one's own."""

    def __init__(self, handler: Handler, change: _Change) -> None:
        self._handler = handler
        self._answer = unary(handler)
        self._change = change

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        return self._handler(self._change(request))

    def answer(self, request: ConversationRequest) -> Awaitable[Result]:
        return self._answer(self._change(request))
