"""What the host's own fields don't model: it goes out as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from jackfield import ConversationRequest, Tool
from jackfield.testing import FakeUpstream, chat
from jackfield_openai import COMPATIBLE, OpenAIConversation, build_body

Opened = Callable[..., AbstractAsyncContextManager[OpenAIConversation]]
Asked = Callable[..., ConversationRequest]


@pytest.mark.parametrize("stream", [False, True])
def test_extra_members_reach_the_server(opened: Opened, asked: Asked, stream: bool) -> None:
    """They stand in the body beside the plugin's own members, and win over what the manifest sets."""

    async def main() -> dict[str, object]:
        async with FakeUpstream(chat) as upstream, opened(endpoint=upstream.endpoint, model="m") as component:
            request = asked("hi", extra={"logit_bias": {"50256": -100}, "reasoning_effort": "low"}, stream=stream)
            if stream:
                assert [event async for event in component.stream(request)]
            else:
                await component.converse(request)
            return upstream.requests[0].body

    body = asyncio.run(main())
    assert body["logit_bias"] == {"50256": -100}
    assert body["reasoning_effort"] == "low"
    assert body["model"] == "m"
    assert body["messages"] == [{"role": "user", "content": "hi"}]


def test_a_strict_tool_is_strict_at_the_server(asked: Asked) -> None:
    """The wish to have arguments held to the schema is passed on where there is one, and not made up."""
    body = build_body(
        asked(tools=(Tool(name="a", strict=True), Tool(name="b")), tool_choice="auto"), model="m", dialect=COMPATIBLE
    )
    assert [tool["function"].get("strict") for tool in body.tools or ()] == [True, None]
