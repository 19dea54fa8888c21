"""What a manifest may say, and what is said back when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jackfield_openai import CompatibleSettings, OpenAISettings

KEY = "sk-quite-secret-0123456789"
AZURE_NEEDS = "endpoint and apiVersion must be provided when apiType is set to 'azure'"


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        ({}, "key", "Field required"),
        ({"key": f"{KEY}\nsecond"}, "key", "the API key holds a line break or control character"),
        ({"key": KEY, "apiType": "bedrock"}, "apiType", "apiType must be open_ai or azure, not 'bedrock'"),
        (
            {"key": KEY, "apiType": "azure"},
            "",
            AZURE_NEEDS,
        ),
        (
            {"key": KEY, "apiType": "AZURE", "endpoint": "https://x.openai.azure.com"},
            "",
            AZURE_NEEDS,
        ),
        ({"key": KEY, "endpoint": "localhost:8000"}, "endpoint", "endpoint must be an address such as https://"),
        ({"key": KEY, "endpoint": "ftp://host/v1"}, "endpoint", "endpoint must be an address such as https://"),
        ({"key": KEY, "endpoint": "http://host:99999"}, "endpoint", "endpoint must be an address such as https://"),
        ({"key": KEY, "endpoint": "https://a:b@host/v1"}, "endpoint", "must not hold a user name or password"),
        ({"key": KEY, "endpoint": "https://host/v1?x=1"}, "endpoint", "a base address without ? and #"),
        ({"key": KEY, "headers": "X-Team: search"}, "headers", "headers must be an object of texts"),
        ({"key": KEY, "headers": {"X Team": "a"}}, "headers", "'X Team' is not the name of an HTTP header"),
        ({"key": KEY, "headers": {"X-Team": "a\r\nb"}}, "headers", "the header X-Team holds a line break"),
        ({"key": KEY, "headers": {"Host": "a"}}, "headers", "the header Host is set by the plugin"),
        ({"key": KEY, "connectTimeout": "0s"}, "connectTimeout", "greater than 0"),
        ({"key": KEY, "silenceTimeout": "soon"}, "silenceTimeout", "is not a duration"),
    ],
)
def test_mistakes(settings: dict[str, Any], place: str, message: str) -> None:
    """A mistake is reported at its field, with what to write instead, and without any secret."""
    with pytest.raises(ValidationError) as caught:
        OpenAISettings.model_validate(settings)
    [error] = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == place
    assert message in error["msg"]
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("apiType", "Azure", "api_type", "azure"),
        ("apiType", "OPEN_AI", "api_type", "open_ai"),
        ("apiType", "", "api_type", "open_ai"),
        ("endpoint", " http://host:8000/v1/ ", "endpoint", "http://host:8000/v1"),
        ("endpoint", "http://host/v1/chat/completions", "endpoint", "http://host/v1"),
        ("endpoint", "http://[::1]:8000/v1", "endpoint", "http://[::1]:8000/v1"),
        ("headers", '{"X-Team": "search", "X-Size": 4}', "headers", {"X-Team": "search", "X-Size": "4"}),
        ("headers", "", "headers", {}),
        ("silenceTimeout", "10m", "silence_timeout", 600.0),
        ("connectTimeout", "5", "connect_timeout", 5.0),
        ("nobodyKnows", "x", "model", ""),
    ],
)
def test_values(name: str, value: Any, attribute: str, expected: Any) -> None:
    """Values are read as an operator writes them; a name nobody knows does no harm, as with daprd."""
    settings = OpenAISettings.model_validate({"key": KEY, "apiVersion": "v", "endpoint": "http://host", name: value})
    assert getattr(settings, attribute) == expected


def test_key_is_trimmed() -> None:
    """The line end of a key that was read from a file doesn't reach a header."""
    assert OpenAISettings.model_validate({"key": f"{KEY}\n"}).key.get_secret_value() == KEY


def test_other_types_may_go_without_a_key() -> None:
    """The settings base leaves it to its heirs whether a key is needed."""
    assert CompatibleSettings.model_validate({}).key.get_secret_value() == ""


def test_secrets_are_not_shown() -> None:
    """Neither the key nor a header's value appears in the settings' repr."""
    settings = OpenAISettings.model_validate({"key": KEY, "headers": {"X-Token": "very-secret-token"}})
    assert KEY not in repr(settings)
    assert "very-secret-token" not in f"{settings!r} {settings}"


def test_schema_requires_the_key() -> None:
    """An editor that knows the schema asks for the key."""
    assert OpenAISettings.model_json_schema()["required"] == ["key"]
