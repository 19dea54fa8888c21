"""What the host's own fields don't model goes out as it came; and what comes with thinking, with the first call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import msgspec
import pytest

from jackfield import ConversationRequest, Delta, Event, Tool, ToolCallPart
from jackfield.testing import FakeUpstream, chat
from jackfield_openai import COMPATIBLE, FINISH_REASONS, OpenAIConversation, build_body
from jackfield_openai.streams import StreamReader
from jackfield_openai.wire import ChatChunk

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


@pytest.mark.parametrize("strict_tools", [True, False])
def test_a_strict_tool_is_strict_where_the_server_knows_the_word(asked: Asked, strict_tools: bool) -> None:
    """The wish to have arguments held to the schema is passed on, or named as left out, and never made up."""
    request = asked(tools=(Tool(name="a", strict=True), Tool(name="b")), tool_choice="auto")
    body = build_body(request, model="m", dialect=replace(COMPATIBLE, strict_tools=strict_tools))

    assert [tool["function"].get("strict") for tool in body.tools or ()] == [True if strict_tools else None, None]
    assert request.record.ignored == (() if strict_tools else ("strict",))


@pytest.mark.parametrize("early", [True, False])
def test_data_of_thinking_comes_once(early: bool) -> None:
    """With the first call's first piece if it is there by then, as the id leaves with that; else at the end."""
    reader = StreamReader(model="m", reasons=FINISH_REASONS, opaque=lambda _, details: "signed" if details else "")
    thought = {"reasoning_details": [{"type": "reasoning.encrypted"}]}
    called = {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "look", "arguments": "{}"}}]}
    events: list[Event] = []
    for delta in (thought, called) if early else (called, thought):
        chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}
        events += reader.read(msgspec.convert(chunk, ChatChunk))
    events += reader.finish()

    data = [event.part.opaque for event in events if isinstance(event, Delta) and isinstance(event.part, ToolCallPart)]
    assert data == (["signed"] if early else ["", "signed"])
