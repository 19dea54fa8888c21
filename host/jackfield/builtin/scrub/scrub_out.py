"""The stage that masks what comes back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any

from msgspec.structs import replace

from jackfield import (
    ConversationRequest,
    Delta,
    Event,
    Finish,
    Handler,
    ProviderError,
    Record,
    Result,
    Scrubber,
    Usage,
    unary,
)
from jackfield.builtin.scrub.choices import ChoiceStream
from jackfield.builtin.scrub.mask import Mask, size_of, unknown
from jackfield.builtin.scrub.runner import Runner, count

__all__ = ["ScrubOut"]


class ScrubOut:
    """Masks the reply to a request that asks for it; a ``Handler``.

    Args:
        handler: the handler further in.
        runner: runs the scrubber.
    """

    def __init__(self, handler: Handler, runner: Runner) -> None:
        self._handler = handler
        self._answer = unary(handler)
        self._runner = runner

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request; the reply to one that asks for nothing is handed on as it is."""
        return self._scrubbed(request) if request.scrub_reply else self._handler(request)

    def answer(self, request: ConversationRequest) -> Awaitable[Result]:
        """Answer a request without ``stream``."""
        return self._scrubbed_answer(request) if request.scrub_reply else self._answer(request)

    async def _scrubbed_answer(self, request: ConversationRequest) -> Result:
        await self._runner.ready()  # before the provider is paid for a reply that nobody may see
        return await self._whole(await self._answer(replace(request, reply_scrubbed=True)), request.record)

    async def _whole(self, result: Result, record: Record) -> Result:
        if type(result) is not Result:
            raise unknown(result)
        scrubber = await self._runner.ready()
        size = sum(size_of(choice.parts, choice.tool_calls) for choice in result.choices)

        def work() -> tuple[Result, list[str]]:
            mask = Mask(scrubber.find)
            return mask.result(result), mask.entities

        treated, entities = await self._runner.run(work, size)
        count(record, entities)
        return treated

    async def _scrubbed(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        if not request.stream:
            yield await self._scrubbed_answer(request)
            return
        reply = _Reply(await self._runner.ready(), self._runner, request.record)
        async with aclosing(self._handler(replace(request, reply_scrubbed=True))) as events:
            async for event in events:
                if isinstance(event, Result):
                    yield await self._whole(event, request.record)
                    continue
                for shown in await reply.take(event):
                    yield shown
        if reply.choices:
            raise ProviderError("the provider's reply ended before it was finished")


class _Reply:
    """A streamed reply: its choices that have begun and aren't finished."""

    def __init__(self, scrubber: Scrubber[Any], runner: Runner, record: Record) -> None:
        self.choices: dict[int, ChoiceStream] = {}
        self._scrubber = scrubber
        self._runner = runner
        self._record = record

    async def take(self, event: Event) -> list[Event]:
        """Take the next event, and give those that may be shown by now."""
        kind = type(event)
        if isinstance(event, Delta) and kind is Delta:
            index = event.index
            if index not in self.choices:
                self.choices[index] = ChoiceStream(self._scrubber, self._runner, self._record)
            part = await self.choices[index].feed(event.part)
            return [] if part is None else [Delta(part, index)]
        if isinstance(event, Finish) and kind is Finish:
            rest = await self.choices.pop(event.index).end() if event.index in self.choices else []
            return [*(Delta(part, event.index) for part in rest), event]
        if kind is Usage:
            return [event]
        raise unknown(event)
