"""The stage that masks what goes in."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing

from msgspec.structs import replace

from jackfield import ConversationRequest, Event, Handler, Message, Result, unary
from jackfield.builtin.scrub.mask import Mask, size_of
from jackfield.builtin.scrub.runner import Runner, count

__all__ = ["ScrubIn"]


class ScrubIn:
    """Masks marked messages, ``extra`` with them, and says which scrubber is going to treat the reply; a ``Handler``.

    Args:
        handler: the handler further in.
        runner: runs the scrubber.
    """

    def __init__(self, handler: Handler, runner: Runner) -> None:
        self._handler = handler
        self._answer = unary(handler)
        self._runner = runner

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request; one that asks for nothing is handed on as it is."""
        return self._scrubbed(request) if _asks(request) else self._handler(request)

    def answer(self, request: ConversationRequest) -> Awaitable[Result]:
        """Answer a request without ``stream``."""
        return self._scrubbed_answer(request) if _asks(request) else self._answer(request)

    async def _scrubbed(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        async with aclosing(self._handler(await self._scrub(request))) as events:
            async for event in events:
                yield event

    async def _scrubbed_answer(self, request: ConversationRequest) -> Result:
        return await self._answer(await self._scrub(request))

    async def _scrub(self, request: ConversationRequest) -> ConversationRequest:
        scrubber = await self._runner.ready()
        digest = self._runner.digest()
        marked = [message.scrub and digest not in message.scrubbed for message in request.messages]
        messages = request.messages
        if any(marked):
            chosen = [message for message, wanted in zip(messages, marked, strict=True) if wanted]
            # What nobody has modelled may hold text of the caller's as well as a message does.
            extra = json.dumps(request.extra) if request.extra else ""
            size = sum(size_of(message.parts, message.tool_calls) for message in chosen) + len(extra)

            def work() -> tuple[list[Message], str, list[str]]:
                mask = Mask(scrubber.find)
                return [mask.message(message, digest) for message in chosen], mask.arguments(extra), mask.entities

            treated, extra, entities = await self._runner.run(work, size)
            count(request.record, entities)
            if extra:
                request = replace(request, extra=json.loads(extra))
            rest = iter(treated)
            messages = tuple(
                next(rest) if wanted else message for message, wanted in zip(messages, marked, strict=True)
            )
        reply_scrubber = digest if request.scrub_reply else request.reply_scrubber
        return replace(request, messages=messages, reply_scrubber=reply_scrubber)


def _asks(request: ConversationRequest) -> bool:
    if request.scrub_reply:
        return True
    for message in request.messages:  # noqa: SIM110  a generator would cost every request a microsecond
        if message.scrub:
            return True
    return False
