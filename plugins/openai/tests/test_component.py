"""The component against a server that speaks the dialect: replies, streams, connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from jackfield import (
    Choice,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    GenerationSettings,
    Message,
    ProviderError,
    ProviderUnreachable,
    Result,
    TextPart,
    Tool,
    ToolCall,
    ToolCallPart,
    Usage,
)
from jackfield.testing import Exchange, FakeUpstream, chat, event_stream, hang
from jackfield_openai import OpenAIConversation

Opened = Callable[..., AbstractAsyncContextManager[OpenAIConversation]]
Asked = Callable[..., ConversationRequest]
TOOLS = (Tool(name="weather"), Tool(name="time"))


def collected(events: Sequence[Event]) -> Result:
    """The whole reply that a stream amounts to."""
    ends = [event for event in events if isinstance(event, Finish)]
    choices: list[Choice] = []
    for end in ends:
        parts = [event.part for event in events if isinstance(event, Delta) and event.index == end.index]
        text = "".join(part.text for part in parts if isinstance(part, TextPart))
        calls: dict[int, ToolCall] = {}
        for part in parts:
            if isinstance(part, ToolCallPart):
                call = calls.get(part.position, ToolCall("", "", ""))
                calls[part.position] = ToolCall(
                    call.id + part.id, call.name + part.name, call.arguments + part.arguments
                )
        choices.append(Choice((TextPart(text),) if text else (), tuple(calls.values()), end.reason))
    usage = next((event for event in events if isinstance(event, Usage)), None)
    return Result(tuple(choices), ends[0].model, usage)


async def streamed(component: OpenAIConversation, request: ConversationRequest) -> list[Event]:
    """Every event of a streamed reply."""
    return [event async for event in component.stream(request)]


def test_converse(opened: Opened, asked: Asked) -> None:
    """A whole reply comes back with text, model and usage."""

    async def scenario() -> Result:
        async with FakeUpstream(chat) as upstream, opened(endpoint=upstream.endpoint, model="gpt-x") as component:
            return await component.converse(asked("hello"))

    assert asyncio.run(scenario()) == Result(
        choices=(Choice(parts=(TextPart("You said: hello"),)),),
        model="gpt-x-2026-01-01",
        usage=Usage(1, 7, 8, cached_tokens=1, reasoning_tokens=2),
    )


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="text"),
        pytest.param({"settings": GenerationSettings(n=3)}, id="three choices"),
        pytest.param({"tools": TOOLS, "tool_choice": "required"}, id="two tool calls"),
        pytest.param({"tools": TOOLS, "tool_choice": "time"}, id="a named tool"),
        pytest.param({"messages": (Message(role="user", parts=(TextPart("für 日本 🎈"),)),)}, id="other scripts"),
    ],
)
def test_stream_equals_converse(opened: Opened, asked: Asked, members: dict[str, Any]) -> None:
    """A streamed reply amounts to the whole reply: same choices, calls, model and usage."""

    async def scenario() -> tuple[Result, list[Event]]:
        async with FakeUpstream(chat) as upstream, opened(endpoint=upstream.endpoint) as component:
            request = asked("hello", **members)
            return await component.converse(request), await streamed(component, request)

    whole, events = asyncio.run(scenario())
    assert collected(events) == whole
    assert len(events) > len(whole.choices) + 1


def test_stream_cut_at_every_byte(opened: Opened, asked: Asked) -> None:
    """A stream that arrives byte by byte gives the same text, characters of several bytes included."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "für 🎈"}, "finish_reason": "stop"}]}]

    async def answer(exchange: Exchange) -> None:
        stream = b"\xef\xbb\xbf: hello\r\n\r\n" + b"".join(event_stream(chunks)).replace(b"\n", b"\r\n")
        await exchange.send_events([bytes([byte]) for byte in stream])

    async def scenario() -> list[Event]:
        async with FakeUpstream(answer) as upstream, opened(endpoint=upstream.endpoint) as component:
            return await streamed(component, asked())

    assert asyncio.run(scenario()) == [Delta(TextPart("für 🎈")), Finish("stop", 0, "gpt-5.6-luna")]


def test_server_that_does_not_stream(opened: Opened, asked: Asked) -> None:
    """A server that answers in one piece although a stream was asked for is understood."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(200, {"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]})

    async def scenario() -> list[Event]:
        async with FakeUpstream(answer) as upstream, opened(endpoint=upstream.endpoint) as component:
            return await streamed(component, asked())

    assert asyncio.run(scenario()) == [Delta(TextPart("whole")), Finish("stop", 0, "gpt-5.6-luna")]


@pytest.mark.parametrize("end", [b"\n\ndata: [DONE]", b"\n\ndata: [DONE]\n", b"\n", b""])
def test_careless_ends(opened: Opened, asked: Asked, end: bytes) -> None:
    """A stream whose choices have all ended is whole, with or without a proper end of its own."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}]

    async def answer(exchange: Exchange) -> None:
        await exchange.send_events([b"".join(event_stream(chunks, done=False)).removesuffix(b"\n\n") + end])

    async def scenario() -> list[Event]:
        async with FakeUpstream(answer) as upstream, opened(endpoint=upstream.endpoint) as component:
            return await streamed(component, asked())

    assert asyncio.run(scenario()) == [Delta(TextPart("hi")), Finish("stop", 0, "gpt-5.6-luna")]


def test_request_on_the_wire(opened: Opened, asked: Asked) -> None:
    """One POST carries the key, JSON's content type and the manifest's headers, which win over the plugin's."""

    async def scenario() -> Exchange:
        headers = {"X-Team": "search", "user-agent": "ours"}
        async with FakeUpstream(chat) as upstream, opened(endpoint=upstream.endpoint, headers=headers) as component:
            await component.converse(asked("hello", model="gpt-y"))
            return upstream.requests[0]

    exchange = asyncio.run(scenario())
    assert (exchange.method, exchange.target) == ("POST", "/v1/chat/completions")
    assert exchange.body == {"model": "gpt-y", "messages": [{"role": "user", "content": "hello"}]}
    sent = {name: exchange.headers.get(name) for name in ("authorization", "content-type", "x-team", "user-agent")}
    assert sent == {
        "authorization": "Bearer sk-quite-secret-0123456789",
        "content-type": "application/json",
        "x-team": "search",
        "user-agent": "ours",
    }


@pytest.mark.parametrize("stream", [False, True])
def test_connections_are_used_again(opened: Opened, asked: Asked, stream: bool) -> None:
    """Calls that follow each other share one connection, streamed ones too."""

    async def scenario() -> tuple[int, int]:
        async with FakeUpstream(chat) as upstream, opened(endpoint=upstream.endpoint) as component:
            for _ in range(5):
                await (streamed(component, asked()) if stream else component.converse(asked()))
            return len(upstream.requests), upstream.connections

    assert asyncio.run(scenario()) == (5, 1)


def test_hundreds_at_once(opened: Opened, asked: Asked) -> None:
    """Hundreds of calls run at the same time and get the reply that is theirs."""
    count = 400
    everybody = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        if len(upstream_requests) == count:
            everybody.set()
        await everybody.wait()
        text = exchange.body["messages"][0]["content"]
        await exchange.send(200, {"choices": [{"message": {"content": text}}]})

    upstream_requests: list[Exchange] = []

    async def scenario() -> list[str]:
        nonlocal upstream_requests
        async with FakeUpstream(answer) as upstream, opened(endpoint=upstream.endpoint) as component:
            upstream_requests = upstream.requests
            results = await asyncio.gather(*(component.converse(asked(str(number))) for number in range(count)))
            return [result.choices[0].text for result in results]

    assert asyncio.run(scenario()) == [str(number) for number in range(count)]


@pytest.mark.parametrize("stream", [False, True])
def test_cancelling_closes_the_connection(opened: Opened, asked: Asked, stream: bool) -> None:
    """A call that is cancelled while the server thinks is seen there at once, as the end of its connection."""

    async def scenario() -> None:
        async with FakeUpstream(hang) as upstream, opened(endpoint=upstream.endpoint) as component:
            call = streamed(component, asked()) if stream else component.converse(asked())
            task = asyncio.create_task(call)
            await upstream.asked.wait()
            task.cancel()
            async with asyncio.timeout(5):
                await upstream.closed.wait()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scenario())


def test_leaving_a_stream_closes_the_connection(opened: Opened, asked: Asked) -> None:
    """A stream that is closed after its first piece ends its connection at once."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "first"}}]}]

    async def answer(exchange: Exchange) -> None:
        await exchange.send_events(event_stream(chunks, done=False), whole=False)
        await hang(exchange)

    async def scenario() -> Event:
        async with FakeUpstream(answer) as upstream, opened(endpoint=upstream.endpoint) as component:
            async with aclosing(component.stream(asked())) as events:
                first = await anext(events)
            async with asyncio.timeout(5):
                await upstream.closed.wait()
            return first

    assert asyncio.run(scenario()) == Delta(TextPart("first"))


def test_large_body_arrives_whole(opened: Opened, asked: Asked) -> None:
    """A message of three megabytes arrives as it is, without a warning from the HTTP client."""
    text = "lorem " * 500_000

    async def scenario() -> bool:
        async with FakeUpstream(chat) as upstream, opened(endpoint=upstream.endpoint) as component:
            result = await component.converse(asked(text))
            return result.choices[0].text == f"You said: {text}"

    assert asyncio.run(scenario())


@pytest.mark.parametrize("stream", [False, True])
def test_required_tool_that_is_not_called(opened: Opened, asked: Asked, stream: bool) -> None:
    """A model that must call a tool and says nothing at all is daprd's error, so that a retry can help."""

    async def answer(exchange: Exchange) -> None:
        if exchange.body.get("stream"):
            await exchange.send_events(event_stream([{"choices": [{"delta": {}, "finish_reason": "stop"}]}]))
        else:
            await exchange.send(200, {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]})

    async def scenario() -> None:
        async with FakeUpstream(answer) as upstream, opened(endpoint=upstream.endpoint) as component:
            request = asked(tools=TOOLS, tool_choice="required")
            await (streamed(component, request) if stream else component.converse(request))

    with pytest.raises(ProviderError, match="empty response with no tool calls despite 2 tools being available"):
        asyncio.run(scenario())


def test_close_is_harmless(make: Callable[..., OpenAIConversation], asked: Asked) -> None:
    """A component closes twice, or without having started; a call to it then says so."""

    async def scenario() -> None:
        component = make()
        await component.close()
        await component.start()
        await component.close()
        await component.close()
        await component.converse(asked())

    with pytest.raises(ProviderUnreachable, match="the component is not running"):
        asyncio.run(scenario())


def test_the_fake_speaks_the_dialect() -> None:
    """What the tests' server answers is valid for OpenAI's own package, so that these tests mean something."""
    seen: list[Any] = []

    async def scenario() -> None:
        import aiohttp

        async with FakeUpstream(chat) as upstream, aiohttp.ClientSession() as session:
            body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
            tools = {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"}
            for extra in ({}, tools):
                async with session.post(f"{upstream.endpoint}/chat/completions", json=body | extra) as reply:
                    seen.append(ChatCompletion.model_validate(await reply.json() | {"object": "chat.completion"}))
                async with session.post(
                    f"{upstream.endpoint}/chat/completions", json=body | extra | {"stream": True}
                ) as reply:
                    lines = [line async for line in reply.content]
                    seen.extend(
                        ChatCompletionChunk.model_validate_json(
                            line.removeprefix(b"data: ").replace(b'{"id"', b'{"object":"chat.completion.chunk","id"')
                        )
                        for line in lines
                        if line.startswith(b"data: {")
                    )

    asyncio.run(scenario())
    assert len(seen) > 10
