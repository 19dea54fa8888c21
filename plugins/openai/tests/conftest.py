"""What several tests of this plugin need: components, and the requests to put to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import pytest

from jackfield import Build, ConversationRequest, Message, TextPart
from jackfield_openai import OpenAIConversation, OpenAISettings

pytest_plugins = ["jackfield.testing"]

KEY = "sk-quite-secret-0123456789"

Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[OpenAIConversation]]
Asked: TypeAlias = Callable[..., ConversationRequest]


@pytest.fixture(name="make")
def _make() -> Callable[..., OpenAIConversation]:
    """Build a component from settings and an environment."""

    def make(environment: Mapping[str, str] | None = None, **settings: Any) -> OpenAIConversation:
        decoded = OpenAISettings.model_validate({"key": KEY, **settings})
        return OpenAIConversation(
            Build(name="llm", type_name="conversation.openai", settings=decoded, environment=environment or {})
        )

    return make


@pytest.fixture(name="opened")
def _opened(make: Callable[..., OpenAIConversation]) -> Opened:
    """Build and start a component, and close it at the end."""

    @asynccontextmanager
    async def opened(
        environment: Mapping[str, str] | None = None, **settings: Any
    ) -> AsyncGenerator[OpenAIConversation, None]:
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
