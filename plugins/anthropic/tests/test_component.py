"""The component against a server: what it sends, and what it makes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from jackfield import (
    ConversationRequest,
    Delta,
    Finish,
    InvokeError,
    ProviderError,
    ProviderUnreachable,
    ResponseFormat,
    TextPart,
)
from jackfield.testing import Exchange, Fail, FakeUpstream, Messages, Script, named_events
from jackfield_anthropic import AnthropicConversation

Asked = Callable[..., ConversationRequest]
Opened = Callable[..., AbstractAsyncContextManager[AnthropicConversation]]
KEY = "sk-ant-quite-secret-0123456789"
BEGUN: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "claude-sonnet-5", "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Once"}},
]


async def ask(component: AnthropicConversation, request: ConversationRequest, form: str) -> list[Any]:
    """Ask in one form and return what came."""
    if form == "unary":
        return [await component.converse(request)]
    return [event async for event in component.stream(request)]


forms = pytest.mark.parametrize("form", ["unary", "streamed"])


@pytest.mark.parametrize(
    ("settings", "path"),
    [({}, ""), ({"api_type": "foundry", "model": "our-deployment"}, "/anthropic/v1")],
    ids=["anthropic", "foundry"],
)
def test_what_is_sent(asked: Asked, opened: Opened, settings: dict[str, str], path: str) -> None:
    """Both services are asked alike: one address, the key in its header, and the API's version."""

    async def main() -> Exchange:
        async with FakeUpstream(Script(Messages())) as upstream:
            async with opened(endpoint=upstream.address + path, **settings) as component:
                await component.converse(asked())
            return upstream.requests[0]

    sent = asyncio.run(main())
    assert (sent.method, sent.target) == ("POST", f"{path or '/v1'}/messages")
    assert (sent.headers["x-api-key"], sent.headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in sent.headers
    assert sent.body["model"] == settings.get("model", "claude-sonnet-5")


@forms
@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (401, "invalid x-api-key", "invalid x-api-key; check key"),
        (403, "not allowed", "not allowed; check that key may use this model"),
        (404, "model: claude-sonet-5", "model: claude-sonet-5; check model (claude-sonnet-5) and endpoint"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "210000 tokens > 200000 maximum"),
        (400, "tools.0.custom.input_schema: JSON schema is invalid", "tools.0.custom.input_schema"),
        (413, "Request exceeds the maximum size", "maximum size; send less"),
        (529, "Overloaded", "Overloaded; Anthropic is overloaded, ask again later"),
    ],
)
def test_refusals(asked: Asked, opened: Opened, form: str, *, status: int, said: str, told: str) -> None:
    """A refusal is told with its status, the API's words, and the setting to look at."""

    async def main() -> None:
        script = Script(Messages())
        script.replies.append(Fail(status, said))
        async with FakeUpstream(script) as upstream, opened(endpoint=upstream.endpoint) as component:
            await ask(component, asked(), form)

    with pytest.raises(ProviderError) as caught:
        asyncio.run(main())
    assert caught.value.status == status
    assert told in caught.value.detail
    assert KEY not in caught.value.detail


@forms
def test_rate_limit(asked: Asked, opened: Opened, form: str) -> None:
    """The time that the API wants to be left alone is passed on."""

    async def main() -> None:
        script = Script(Messages())
        script.replies.append(Fail(429, "slow down", retry_after=17))
        async with FakeUpstream(script) as upstream, opened(endpoint=upstream.endpoint) as component:
            await ask(component, asked(), form)

    with pytest.raises(ProviderError) as caught:
        asyncio.run(main())
    assert (caught.value.status, caught.value.retry_after) == (429, 17)


def _streaming(opened: Opened, request: ConversationRequest, events: list[Any], *, whole: bool = True) -> list[Any]:
    """Stream these events to a component, and return what it gives until it raises, and the error if it does."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.send_events(named_events(events), whole=whole)
        if not whole:
            exchange.writer.close()

    async def main() -> list[Any]:
        found: list[Any] = []
        async with FakeUpstream(behaviour) as upstream, opened(endpoint=upstream.endpoint) as component:
            try:
                found.extend([event async for event in component.stream(request)])
            except InvokeError as error:
                found.append(error)
        return found

    return asyncio.run(main())


def test_error_in_a_stream(asked: Asked, opened: Opened) -> None:
    """An error that comes after the first words is that error, with its status, and quotes no key."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": f"Overloaded, {KEY}"}}
    [found] = _streaming(opened, asked(), [*BEGUN, error])
    assert isinstance(found, ProviderError)
    assert found.status == 529
    assert "Overloaded, ***" in found.detail


@pytest.mark.parametrize("whole", [True, False])
def test_cut_off(asked: Asked, opened: Opened, whole: bool) -> None:
    """A stream that ends without its end isn't taken for a reply."""
    found = _streaming(opened, asked(), BEGUN, whole=whole)
    assert isinstance(found[-1], ProviderUnreachable)
    assert not [event for event in found if isinstance(event, Finish)]


def test_nothing_is_read_after_the_end(asked: Asked, opened: Opened) -> None:
    """What follows the end of a reply is no part of it."""
    ending = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}
    more = {"type": "error", "error": {"type": "api_error", "message": "too late"}}
    found = _streaming(opened, asked(), [*BEGUN, ending, {"type": "message_stop"}, more])
    assert [event.reason for event in found if isinstance(event, Finish)] == ["stop"]


def test_answer_by_a_tool_is_streamed(asked: Asked, opened: Opened) -> None:
    """An answer that a model gives as a tool's input arrives as text while it is written."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "response", "input": {}}
    pieces = ['{"ci', 'ty": ', '"Bremen"}']
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
        for piece in pieces
    ]
    events = [
        BEGUN[0],
        {"type": "content_block_start", "index": 0, "content_block": block},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]
    found = _streaming(opened, asked(response_format=ResponseFormat(schema=None)), events)
    parts = [event.part for event in found if isinstance(event, Delta)]
    assert parts == [TextPart(piece) for piece in pieces]
    assert [event.reason for event in found if isinstance(event, Finish)] == ["stop"]


def test_whole_reply_to_a_stream(asked: Asked, opened: Opened) -> None:
    """A server that can't stream is understood all the same."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.send(200, {"content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn"})

    async def main() -> list[Any]:
        async with FakeUpstream(behaviour) as upstream, opened(endpoint=upstream.endpoint) as component:
            return await ask(component, asked(), "streamed")

    delta, finish = asyncio.run(main())
    assert (delta, finish) == (Delta(TextPart("Hello.")), Finish("stop", 0, "claude-sonnet-5"))


@pytest.mark.parametrize("form", ["unary", "stream"])
def test_members_of_another_api_stay_out(opened: Opened, asked: Asked, form: str) -> None:
    """What an app of OpenAI's API says of its user, which the host has named as ignored, is not sent."""

    async def main() -> dict[str, Any]:
        async with FakeUpstream(Script(Messages())) as upstream, opened(endpoint=upstream.endpoint) as component:
            await ask(component, asked("hi", extra={"user": "u1"}, stream=form == "stream"), form)
            return upstream.requests[0].body

    assert "user" not in asyncio.run(main())
