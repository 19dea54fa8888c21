"""The settings that a manifest may have."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jackfield import Build
from jackfield_bedrock import BEDROCK_MODEL, BedrockConversation, BedrockSettings


def test_dapr_manifest() -> None:
    """Every name of Dapr's component is known, and ours have their defaults."""
    settings = BedrockSettings.model_validate(
        {
            "region": "us-east-1",
            "endpoint": "http://localhost:4566/",
            "model": "amazon.nova-lite-v1:0",
            "accessKey": "AKIA",
            "secretKey": " secret\n",
            "sessionToken": "token",
            "assumeRoleArn": "arn:aws:iam::1:role/r",
            "trustAnchorArn": "a",
            "trustProfileArn": "p",
            "somethingElse": "x",
        }
    )
    assert settings.endpoint == "http://localhost:4566"
    assert settings.secret_key.get_secret_value() == "secret"
    assert settings.static
    assert (settings.connect_timeout, settings.silence_timeout) == (10.0, 300.0)


@pytest.mark.parametrize(
    ("items", "cause"),
    [
        ({"accessKey": "AKIA"}, "accessKey is set without secretKey"),
        ({"secretKey": "s"}, "secretKey is set without accessKey"),
        ({"sessionToken": "t"}, "sessionToken is set without accessKey and secretKey"),
        ({"accessKey": "AK IA", "secretKey": "s"}, "holds a blank"),
        ({"region": "eu central"}, "region must be the code of an AWS region"),
        ({"region": "eu-central-1.evil.example/"}, "region must be the code of an AWS region"),
        ({"endpoint": "localhost:4566"}, "it must be an address such as"),
        ({"endpoint": "http://x:99999"}, "it must be an address such as"),
        ({"endpoint": "http://u:p@x"}, "must not hold a user name or password"),
        ({"stsEndpoint": "ftp://x"}, "it must be an address such as"),
        ({"additionalModelRequestFields": "{"}, "must be an object, such as"),
        ({"additionalModelRequestFields": "[1]"}, "valid dictionary"),
        ({"connectTimeout": "0s"}, "greater than 0"),
    ],
)
def test_refused(items: dict[str, Any], cause: str) -> None:
    """A setting that can't be used is refused with the reason, and without its value where that is secret."""
    with pytest.raises(ValidationError, match=cause) as caught:
        BedrockSettings.model_validate(items)
    assert "AK IA" not in str(caught.value)


@pytest.mark.parametrize("written", ['{"thinking": {"type": "enabled"}}', {"thinking": {"type": "enabled"}}])
def test_additional_fields(written: Any) -> None:
    """A model's own fields may be JSON text or an object."""
    settings = BedrockSettings.model_validate({"additionalModelRequestFields": written})
    assert settings.additional_model_request_fields == {"thinking": {"type": "enabled"}}


def test_default_model() -> None:
    """Without a model in the manifest the default answers, and a repr shows no secret."""
    settings = BedrockSettings.model_validate({"accessKey": "AKIA", "secretKey": "hush-hush"})
    component = BedrockConversation(Build(name="llm", type_name="conversation.aws.bedrock", settings=settings))
    assert component.model == BEDROCK_MODEL
    assert "hush-hush" not in f"{component!r}{settings!r}"
