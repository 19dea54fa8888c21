"""OpenAI, Azure and other servers: models, addresses, headers and dialects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

import pytest

from jackfield import Build, ConversationRequest, GenerationSettings, Tool
from jackfield.testing import Exchange, FakeUpstream, chat
from jackfield_openai import (
    ChatBody,
    CompatibleConversation,
    CompatibleSettings,
    Dialect,
    OpenAIConversation,
    build_body,
)

Opened = Callable[..., AbstractAsyncContextManager[OpenAIConversation]]
Asked = Callable[..., ConversationRequest]
Make = Callable[..., OpenAIConversation]
KEY = "sk-quite-secret-0123456789"
AZURE = {"apiType": "azure", "endpoint": "https://res.openai.azure.com", "apiVersion": "2024-10-21"}


@pytest.mark.parametrize(
    ("settings", "environment", "model"),
    [
        ({}, {}, "gpt-5.6-luna"),
        ({}, {"OPENAI_MODEL": "gpt-env"}, "gpt-env"),
        ({"model": "gpt-own"}, {"OPENAI_MODEL": "gpt-env"}, "gpt-own"),
        ({"model": " "}, {"OPENAI_MODEL": " "}, "gpt-5.6-luna"),
        ({}, {"AZURE_OPENAI_MODEL": "deployment"}, "gpt-5.6-luna"),
        (AZURE, {}, "gpt-4.1-nano"),
        (AZURE, {"AZURE_OPENAI_MODEL": "deployment", "OPENAI_MODEL": "gpt-env"}, "deployment"),
        ({**AZURE, "model": "own"}, {"AZURE_OPENAI_MODEL": "deployment"}, "own"),
    ],
)
def test_model(make: Make, settings: Mapping[str, str], environment: Mapping[str, str], model: str) -> None:
    """The manifest names the model, else the environment, else a default."""
    assert make(environment, **settings).model == model


@pytest.mark.parametrize(
    ("settings", "environment", "url"),
    [
        ({}, {}, "https://api.openai.com/v1/chat/completions"),
        ({}, {"OPENAI_BASE_URL": "http://a/v1/"}, "http://a/v1/chat/completions"),
        ({}, {"OPENAI_API_BASE": "http://b/v1"}, "http://b/v1/chat/completions"),
        ({}, {"OPENAI_API_BASE": "http://b/v1", "OPENAI_BASE_URL": "http://a/v1"}, "http://a/v1/chat/completions"),
        ({"endpoint": "http://c/v1"}, {"OPENAI_BASE_URL": "http://a/v1"}, "http://c/v1/chat/completions"),
        (
            AZURE,
            {"OPENAI_BASE_URL": "http://a/v1"},
            "https://res.openai.azure.com/openai/deployments/m%2Fx/chat/completions?api-version=2024-10-21",
        ),
        (
            {**AZURE, "endpoint": "https://res.openai.azure.com/openai/"},
            {},
            "https://res.openai.azure.com/openai/deployments/m%2Fx/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_url(make: Make, settings: Mapping[str, str], environment: Mapping[str, str], url: str) -> None:
    """The address is the manifest's, the environment's or OpenAI's; Azure's names deployment and version."""
    assert make(environment, **settings).url("m/x") == url


def test_bad_endpoint_in_the_environment(make: Make) -> None:
    """An address from the environment is checked like one from the manifest."""
    with pytest.raises(ValueError, match="endpoint must be an address such as"):
        make({"OPENAI_BASE_URL": "nowhere"})


@pytest.mark.parametrize(
    ("settings", "environment", "headers"),
    [
        ({}, {}, {"Authorization": f"Bearer {KEY}"}),
        (
            {},
            {"OPENAI_ORGANIZATION": "org-1"},
            {"Authorization": f"Bearer {KEY}", "OpenAI-Organization": "org-1"},
        ),
        (AZURE, {"OPENAI_ORGANIZATION": "org-1"}, {"api-key": KEY}),
    ],
)
def test_headers(
    make: Make, settings: Mapping[str, str], environment: Mapping[str, str], headers: Mapping[str, str]
) -> None:
    """OpenAI gets a bearer token and the organisation, Azure its own header."""
    assert make(environment, **settings).headers() == headers


@pytest.mark.parametrize(
    ("settings", "model", "tools", "effort"),
    [
        ({}, "gpt-5.6-luna", True, "none"),
        ({}, "gpt-5.6-luna", False, None),
        ({"reasoningEffort": "high"}, "gpt-5.6-luna", True, "high"),
        ({"reasoningEffort": "low"}, "gpt-5.6-luna", False, "low"),
        ({}, "gpt-4.1", True, None),
        ({"endpoint": "http://localhost:8000/v1"}, "gpt-5.6-luna", True, None),
    ],
)
def test_reasoning_effort(  # noqa: PLR0917  pytest names them
    make: Make, asked: Asked, settings: Mapping[str, str], model: str, tools: bool, effort: str | None
) -> None:
    """The manifest's effort is sent; without one, none goes with tools to models that call none while they reason."""
    request = asked(tools=(Tool(name="f"),) if tools else ())
    assert make(**settings).body(request, model, stream=False).reasoning_effort == effort


@pytest.mark.parametrize(
    ("settings", "model", "field", "refuses"),
    [
        ({}, "gpt-5-nano", "max_completion_tokens", True),
        ({"endpoint": "https://eu.api.openai.com/v1"}, "gpt-5-nano", "max_completion_tokens", True),
        ({"endpoint": "https://res.openai.azure.com/openai/v1"}, "gpt-4.1", "max_completion_tokens", False),
        (AZURE, "gpt-4.1", "max_completion_tokens", False),
        ({**AZURE, "apiVersion": "2024-02-01"}, "gpt-4.1", "max_tokens", False),
        ({"endpoint": "http://localhost:8000/v1"}, "gpt-5-nano", "max_tokens", False),
        ({"endpoint": "https://notopenai.com/v1"}, "gpt-5-nano", "max_tokens", False),
    ],
)
def test_dialect(make: Make, settings: Mapping[str, str], model: str, field: str, refuses: bool) -> None:
    """OpenAI's rules hold at OpenAI and Azure; another server gets the common ground, whatever its models' names."""
    dialect = make(**settings).dialect(model)
    assert (dialect.max_tokens_field, "temperature" in dialect.refused) == (field, refuses)


def test_azure_on_the_wire(opened: Opened, asked: Asked) -> None:
    """Azure is asked at the deployment's address, which an allowed other model changes."""

    async def scenario() -> list[Exchange]:
        async with FakeUpstream(chat) as upstream:
            settings = {"apiType": "Azure", "endpoint": upstream.address, "apiVersion": "2024-10-21", "model": "ours"}
            async with opened(**settings) as component:
                await component.converse(asked())
                await component.converse(asked(model="theirs", settings=GenerationSettings(max_tokens=5)))
            return upstream.requests

    exchanges = asyncio.run(scenario())
    assert [exchange.target for exchange in exchanges] == [
        "/openai/deployments/ours/chat/completions?api-version=2024-10-21",
        "/openai/deployments/theirs/chat/completions?api-version=2024-10-21",
    ]
    assert exchanges[0].headers["api-key"] == KEY
    assert "authorization" not in exchanges[0].headers
    assert (exchanges[1].body["model"], exchanges[1].body["max_completion_tokens"]) == ("theirs", 5)


@pytest.mark.parametrize("key", ["", " \n"])
def test_empty_key(make: Make, key: str) -> None:
    """An empty key is refused before any call, with what to add and a word for servers that need none."""
    with pytest.raises(ValueError, match="the API key is missing; add an item `name: key`"):
        make(key=key)


def test_repr_hides_the_key(make: Make) -> None:
    """A component's repr shows where it asks, not with which key."""
    text = repr(make(headers={"X-Token": "very-secret-token"}))
    assert "https://api.openai.com/v1" in text
    assert KEY not in text
    assert "very-secret-token" not in text


class OtherBody(ChatBody, kw_only=True, omit_defaults=True):
    """A body with a member of its own."""

    safe_prompt: bool | None = None


class Other(CompatibleConversation[CompatibleSettings]):
    """Another provider, as its plugin would write it."""

    default_model = "other-large"
    body_type = OtherBody
    finish_reasons = {"model_length": "length"}

    def url(self, model: str) -> str:
        """Have an address of one's own."""
        return f"{self.endpoint}/{model}/chat"

    def headers(self) -> dict[str, str]:
        """Have a header of one's own."""
        return {"X-Other-Key": self.settings.key.get_secret_value()}

    def dialect(self, model: str) -> Dialect:
        """Have names of one's own."""
        return Dialect(roles={"developer": "user"}, refused=frozenset({"seed"}))

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Have a member of one's own."""
        body = build_body(request, model=model, dialect=self.dialect(model), stream=stream, body_type=OtherBody)
        assert isinstance(body, OtherBody)
        body.safe_prompt = True
        return body


def test_other_providers_build_on_it(asked: Asked) -> None:
    """A provider with a compatible API changes address, headers, body, names and finish reasons and nothing else."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(200, {"choices": [{"message": {"content": "hi"}, "finish_reason": "model_length"}]})

    async def scenario() -> tuple[Exchange, str]:
        async with FakeUpstream(answer) as upstream:
            settings = CompatibleSettings.model_validate({"key": KEY, "endpoint": upstream.endpoint})
            component = Other(Build(name="other", type_name="conversation.other", settings=settings, environment={}))
            await component.start()
            result = await component.converse(asked(settings=GenerationSettings(seed=1, top_p=0.5)))
            await component.close()
            return upstream.requests[0], result.choices[0].finish_reason

    exchange, reason = asyncio.run(scenario())
    assert exchange.target == "/v1/other-large/chat"
    assert exchange.headers["x-other-key"] == KEY
    assert exchange.body == {
        "model": "other-large",
        "messages": [{"role": "user", "content": "hello"}],
        "top_p": 0.5,
        "safe_prompt": True,
    }
    assert reason == "length"


def test_without_any_endpoint() -> None:
    """A type without a default endpoint asks for one."""
    settings = CompatibleSettings.model_validate({"key": KEY})
    with pytest.raises(ValueError, match="add an item `name: endpoint`"):
        Other(Build(name="other", type_name="conversation.other", settings=settings, environment={}))
