"""A manifest's own wish to have messages scrubbed, added to what requests ask for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from jackfield.chain.handler import Handler, Stage
from jackfield.events import Event
from jackfield.messages import ConversationRequest

__all__ = ["scrub_wishes"]


def scrub_wishes(direction: str | None) -> Stage:
    """Mark what the manifest's ``scrubPII`` covers; a request can add to it and can't undo it.

    Args:
        direction: ``input``, ``output``, ``both`` or None.
    """
    if direction is None:
        return lambda handler: handler
    into, out = direction in {"input", "both"}, direction in {"output", "both"}

    def stage(handler: Handler) -> Handler:
        async def handle(request: ConversationRequest) -> AsyncGenerator[Event, None]:
            messages = request.messages
            if into:
                messages = tuple(message if message.scrub else replace(message, scrub=True) for message in messages)
            marked = replace(request, messages=messages, scrub_reply=request.scrub_reply or out)
            async with aclosing(handler(marked)) as events:
                async for event in events:
                    yield event

        return handle

    return stage
