"""The checks for real providers, against a server that stands for one."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jackfield import ConversationRequest, ToolCall
from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Fail, FakeUpstream, Reply, Script, say

KEY = "sk-real-0123456789"


def clever(asked: ConversationRequest) -> Reply:
    """Answer as a model does that understands the kit's questions."""
    if asked.messages[-1].role == "tool":
        return say("It is 12 degrees in Bremen.")
    if asked.tools:
        return say("", ToolCall("call_1", "get_weather", '{"city": "Bremen"}'))
    if asked.response_format is not None:
        return say(json.dumps({"city": "Paris"}))
    return say("Hello")


def dull(asked: ConversationRequest) -> Reply:
    """Answer as a model does that understands nothing."""
    return say("")


class Provider:
    """A server in a thread of its own, as a real provider is elsewhere."""

    def __init__(self, *, honest: bool) -> None:
        self.script = Script(ChatCompletions(), then=clever if honest else dull)
        self.honest = honest
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()

    async def answer(self, exchange: Exchange) -> None:
        """Refuse a wrong key, if the provider is honest."""
        if self.honest and exchange.headers["authorization"] != f"Bearer {KEY}":
            await exchange.send(401, ChatCompletions().failure(Fail(401, "wrong key")))
            return
        await self.script(exchange)

    async def serve(self) -> None:
        """Serve until stopped."""
        self.stopped = asyncio.Event()
        async with FakeUpstream(self.answer) as upstream:
            self.endpoint = upstream.endpoint
            self.ready.set()
            await self.stopped.wait()


@pytest.fixture(name="kit", params=[True, False], ids=["honest", "dull"])
def _kit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ConversationKit, bool]]:
    """A kit with a key in the environment, and whether its provider does what it should."""
    provider = Provider(honest=request.param)
    thread = threading.Thread(target=provider.loop.run_until_complete, args=(provider.serve(),))
    thread.start()
    assert provider.ready.wait(10)

    class Kit(ConversationKit):
        type_name = "conversation.openai"
        live = {"key": "REAL_KEY"}
        live_metadata = {"endpoint": provider.endpoint}

    monkeypatch.setenv("REAL_KEY", KEY)
    yield Kit(), request.param
    provider.loop.call_soon_threadsafe(provider.stopped.set)
    thread.join(10)
    provider.loop.close()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("test_live_text", {"stream": False}),
        ("test_live_text", {"stream": True}),
        ("test_live_tool", {}),
        ("test_live_structured_output", {}),
        ("test_live_wrong_key", {}),
    ],
)
def test_live_checks_tell_good_from_bad(
    kit: tuple[ConversationKit, bool], name: str, arguments: dict[str, Any]
) -> None:
    """Each holds for a provider that works and fails for one that doesn't."""
    made, honest = kit
    if honest:
        getattr(made, name)(**arguments)
        return
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        getattr(made, name)(**arguments)


def test_a_key_that_is_not_set_is_named() -> None:
    """Without its key a live check is absent, with the variable's name."""

    class Kit(ConversationKit):
        type_name = "conversation.openai"
        live = {"key": "NO_SUCH_KEY_IS_SET"}

    with pytest.raises(pytest.skip.Exception, match="NO_SUCH_KEY_IS_SET is not set"):
        Kit().test_live_wrong_key()
