"""The unary form of a chain, with stages before the provider and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from jackfield import Build, Conversation, ConversationRequest, Event, InvokeError, Message, Result, Settings, TextPart
from jackfield.chain.handler import Handler, Stage, fold
from jackfield.chain.provider import ProviderHandler
from jackfield.chain.unary import unary


class Whole(Conversation[Settings]):
    async def converse(self, request: ConversationRequest) -> Result:
        return Result.of_text("whole", model="m")


def provider() -> ProviderHandler:
    component = Whole(Build(name="c", type_name="conversation.c", settings=Settings()))
    return ProviderHandler(component, limits=None, redact=str)


def ask() -> ConversationRequest:
    return ConversationRequest(component="c", messages=(Message(role="user", parts=(TextPart("hi"),)),))


def noting(ended: list[str]) -> Stage:
    """Make a stage that notes when it has run to its own end."""

    def stage(handler: Handler) -> Handler:
        async def handle(request: ConversationRequest) -> AsyncGenerator[Event, None]:
            async with aclosing(handler(request)) as events:
                async for event in events:
                    yield event
            ended.append("ended")

        return handle

    return stage


async def silent(_: ConversationRequest) -> AsyncGenerator[Event, None]:
    """Give no event at all."""
    events: tuple[Event, ...] = ()
    for event in events:
        yield event


@pytest.mark.parametrize("stages", [0, 1, 2])
def test_a_chain_answers_in_one_piece(stages: int) -> None:
    """The result and the record are the same with and without stages, and every stage runs to its own end."""
    ended: list[str] = []
    handler = fold((noting(ended),) * stages, provider())
    request = ask()

    async def main() -> Result:
        return await unary(handler)(request)

    assert asyncio.run(main()) == Result.of_text("whole", model="m")
    assert (request.record.model, request.record.served_by, request.record.attempts) == ("m", "c", 1)
    assert len(ended) == stages


def test_a_chain_without_a_result_is_an_error() -> None:
    """A stage that loses the result doesn't leave the caller without an answer."""

    async def main() -> None:
        await unary(silent)(ask())

    with pytest.raises(InvokeError, match="the component gave no result"):
        asyncio.run(main())
