"""The stage that masks what comes back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing

from msgspec.structs import replace

from jackfield import ConversationRequest, Delta, Event, Finish, Handler, InvokeError, Record, Result, Usage, unary
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
        scrubber, record = await self._runner.ready(), request.record
        choices: dict[int, ChoiceStream] = {}
        async with aclosing(self._handler(replace(request, reply_scrubbed=True))) as events:
            async for event in events:
                kind = type(event)
                if isinstance(event, Delta) and kind is Delta:
                    if event.index not in choices:
                        choices[event.index] = ChoiceStream(scrubber, self._runner, record)
                    part = await choices[event.index].feed(event.part)
                    if part is not None:
                        yield Delta(part, event.index)
                elif isinstance(event, Finish) and kind is Finish:
                    if event.index in choices:
                        for part in await choices.pop(event.index).end():
                            yield Delta(part, event.index)
                    yield event
                elif isinstance(event, Result):
                    yield await self._whole(event, record)
                elif kind is Usage:
                    yield event
                else:
                    raise unknown(event)
        if choices:
            raise InvokeError("the provider's reply ended before it was finished")
