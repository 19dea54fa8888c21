"""What a manifest may say, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from jackfield_anthropic import AnthropicConversation, AnthropicSettings
from jackfield_anthropic.defaults import ENDPOINT, MODEL

Made = Callable[..., AnthropicConversation]


def test_defaults(make: Made) -> None:
    """A key is all that a manifest must have."""
    component = make()
    assert (component.model, component.endpoint) == (MODEL, ENDPOINT)
    assert component.url(MODEL) == "https://api.anthropic.com/v1/messages"


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
        ("https://gateway.example/claude", "https://gateway.example/claude/messages"),
        (
            "https://res.services.ai.azure.com/anthropic/v1",
            "https://res.services.ai.azure.com/anthropic/v1/messages",
        ),
        ("https://res.services.ai.azure.com/anthropic/", "https://res.services.ai.azure.com/anthropic/v1/messages"),
    ],
)
def test_endpoint(make: Made, endpoint: str, address: str) -> None:
    """An endpoint is the address before /messages; a bare server's and Foundry's get the /v1 they lack."""
    assert make(endpoint=endpoint).url("any") == address


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("https://gateway.example", "https://gateway.example/v1/messages"),
        ("https://gateway.example/claude", "https://gateway.example/claude/v1/messages"),
        ("https://gateway.example/claude/v1", "https://gateway.example/claude/v1/messages"),
    ],
)
def test_endpoint_of_the_environment(make: Made, variable: str, address: str) -> None:
    """ANTHROPIC_BASE_URL means what it means to Anthropic's own packages, and the manifest goes before it."""
    environment = {"ANTHROPIC_BASE_URL": variable}
    assert make(environment).url("any") == address
    assert make(environment, endpoint="http://other/v1").url("any") == "http://other/v1/messages"


def test_model_of_the_environment(make: Made) -> None:
    """ANTHROPIC_MODEL counts where the manifest names no model."""
    environment = {"ANTHROPIC_MODEL": "claude-opus-5"}
    assert make(environment).model == "claude-opus-5"
    assert make(environment, model="claude-haiku-5-5").model == "claude-haiku-5-5"


@pytest.mark.parametrize("value", ["", "anthropic", "Anthropic", "FOUNDRY"])
def test_api_type(value: str) -> None:
    """The API's type is read in any case."""
    settings = AnthropicSettings.model_validate({"key": "k", "apiType": value, "endpoint": "https://x/anthropic/v1"})
    assert settings.foundry == (value == "FOUNDRY")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"apiType": "azure"}, "apiType must be anthropic or foundry, not 'azure'"),
        ({"apiType": "foundry"}, "endpoint must be provided when apiType is set to 'foundry'"),
        ({"thinking": "a lot"}, "thinking must be off, adaptive, one of low, medium, high, xhigh, max, or a budget"),
        ({"thinking": "512"}, "at least 1024 tokens"),
        ({"endpoint": "api.anthropic.com"}, "endpoint must be an address such as"),
    ],
)
def test_wrong_settings(settings: dict[str, str], text: str) -> None:
    """An error names the item and what may stand there."""
    with pytest.raises(ValidationError, match=text):
        AnthropicSettings.model_validate({"key": "k", **settings})


def test_empty_key(make: Made) -> None:
    """An empty key is told when the component is built, with the way out."""
    with pytest.raises(ValueError, match="the API key is missing; add an item `name: key`"):
        make(key="")


@pytest.mark.parametrize(
    ("model", "thinking", "text"),
    [
        ("claude-opus-5-5", "off", "claude-opus-5-5 always thinks; set thinking to low"),
        ("claude-sonnet-5", "4000", "claude-sonnet-5 takes no budget for thinking; set thinking to adaptive"),
        ("claude-haiku-4-5", "adaptive", "set thinking to off or to a budget in tokens"),
    ],
)
def test_thinking_that_the_model_lacks(make: Made, model: str, thinking: str, text: str) -> None:
    """A kind of thinking that a model doesn't have is told with the manifest, or when it is built."""
    with pytest.raises(ValidationError, match=text):
        AnthropicSettings.model_validate({"key": "k", "model": model, "thinking": thinking})
    with pytest.raises(ValueError, match=text):
        make({"ANTHROPIC_MODEL": model}, thinking=thinking)
