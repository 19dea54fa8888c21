"""What several tests of this plugin need: components, and the requests to put to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import msgspec
import pytest

from jackfield import Build, ConversationRequest, Message, TextPart
from jackfield_anthropic import AnthropicConversation, AnthropicSettings, Thinking, claude_dialect
from jackfield_anthropic.requests import build_body

pytest_plugins = ["jackfield.testing"]

KEY = "sk-ant-quite-secret-0123456789"

Asked: TypeAlias = Callable[..., ConversationRequest]
Made: TypeAlias = Callable[..., AnthropicConversation]
Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[AnthropicConversation]]
Written: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture(name="make")
def _make() -> Made:
    """Build a component from settings and an environment."""

    def make(environment: Mapping[str, str] | None = None, **settings: Any) -> AnthropicConversation:
        decoded = AnthropicSettings.model_validate({"key": KEY, **settings})
        return AnthropicConversation(
            Build(name="llm", type_name="conversation.anthropic", settings=decoded, environment=environment or {})
        )

    return make


@pytest.fixture(name="opened")
def _opened(make: Made) -> Opened:
    """Build and start a component, and close it at the end."""

    @asynccontextmanager
    async def opened(
        environment: Mapping[str, str] | None = None, **settings: Any
    ) -> AsyncGenerator[AnthropicConversation, None]:
        component = make(environment, **settings)
        try:
            await component.start()
            yield component
        finally:
            await component.close()

    return opened


@pytest.fixture(name="asked")
def _asked() -> Asked:
    """Make a request of one user message, or of the messages given."""

    def asked(text: str = "hello", **members: Any) -> ConversationRequest:
        members.setdefault("messages", (Message(role="user", parts=(TextPart(text),)),))
        return ConversationRequest(component="llm", **members)

    return asked


@pytest.fixture(name="written")
def _written() -> Written:
    """Write a request as it leaves, for a model and a manifest's ``thinking``."""

    def written(
        request: ConversationRequest, model: str = "claude-sonnet-5", thinking: str = "", *, stream: bool = False
    ) -> dict[str, Any]:
        body = build_body(
            request, model=model, dialect=claude_dialect(model), thinking=Thinking.parse(thinking), stream=stream
        )
        return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, Any])

    return written
