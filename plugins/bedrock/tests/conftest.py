"""What several tests of this plugin need: components, and the requests to put to them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from jackfield import Build, ConversationRequest, Message, TextPart
from jackfield_bedrock import BedrockConversation, BedrockSettings

pytest_plugins = ["jackfield.testing"]

ACCESS_KEY = "AKIAQUITESECRET01234"
SECRET_KEY = "quite/secret+0123456789abcdefghijklmnopq"

Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[BedrockConversation]]
Asked: TypeAlias = Callable[..., ConversationRequest]


@pytest.fixture(autouse=True)
def _no_aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the machine's own AWS configuration, proxies and metadata service out of all tests but live ones."""
    if request.node.name.startswith("test_live"):
        return
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(name="make")
def _make() -> Callable[..., BedrockConversation]:
    """Build a component from settings and an environment; with ``accessKey=None`` it has no keys of its own."""

    def make(environment: Mapping[str, str] | None = None, **settings: Any) -> BedrockConversation:
        items = {"region": "eu-central-1", "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY, **settings}
        decoded = BedrockSettings.model_validate({name: value for name, value in items.items() if value is not None})
        return BedrockConversation(
            Build(name="llm", type_name="conversation.aws.bedrock", settings=decoded, environment=environment or {})
        )

    return make


@pytest.fixture(name="opened")
def _opened(make: Callable[..., BedrockConversation]) -> Opened:
    """Build and start a component, and close it at the end."""

    @asynccontextmanager
    async def opened(
        environment: Mapping[str, str] | None = None, **settings: Any
    ) -> AsyncGenerator[BedrockConversation, None]:
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
