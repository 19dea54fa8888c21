"""One reply, whole and streamed, from a server that speaks the Converse API."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing

from jackfield import ConversationRequest, Delta, Finish, Result, TextPart, Usage
from jackfield.testing import FakeUpstream, Script, say
from jackfield_bedrock import BedrockConversation
from jackfield_bedrock.testing import Converse

Opened = Callable[..., AbstractAsyncContextManager[BedrockConversation]]
Asked = Callable[..., ConversationRequest]


def test_whole(opened: Opened, asked: Asked) -> None:
    """A question is answered in one piece, by the model that the manifest names."""

    async def run() -> None:
        script = Script(Converse(), replies=deque([say("hi there")]))
        async with FakeUpstream(script) as server, opened(endpoint=server.address, model="amazon.nova-x") as component:
            answer = await component.converse(asked())
        assert answer == Result.of_text("hi there", model="amazon.nova-x", usage=Usage(11, 7, 18))
        assert script.asked[0].messages[0].text == "hello"
        assert script.refused == []

    asyncio.run(run())


def test_streamed(opened: Opened, asked: Asked) -> None:
    """A question is answered piece by piece, then with its end and its usage."""

    async def run() -> None:
        script = Script(Converse(), replies=deque([say("hi there")]))
        async with (
            FakeUpstream(script) as server,
            opened(endpoint=server.address, model="amazon.nova-x") as component,
            aclosing(component.stream(asked(stream=True))) as events,
        ):
            got = [event async for event in events]
        assert got == [
            Delta(TextPart("hi th")),
            Delta(TextPart("ere")),
            Finish("stop", 0, "amazon.nova-x"),
            Usage(11, 7, 18),
        ]

    asyncio.run(run())
