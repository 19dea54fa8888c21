"""The settings of ``conversation.aws.bedrock``."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from jackfield import DaprSettings, Duration, Secret

__all__ = ["BedrockSettings"]

_REGION = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def _object(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else {}
    except ValueError:
        raise ValueError(
            'additionalModelRequestFields must be an object, such as {"reasoning_config": {"type": "disabled"}}'
        ) from None


class BedrockSettings(DaprSettings):
    """What a manifest may say (contract sheet, section 10.2, and our own).

    Attributes:
        region: the AWS region; empty for the model ARN's, else the environment's, else the profile's.
        endpoint: the address of Bedrock's runtime, for emulators and private endpoints; empty for AWS's.
        model: a model id, or the id or ARN of an inference profile; empty for the default.
        access_key: the id of an access key, used with ``secret_key``.
        secret_key: the secret access key.
        session_token: goes with a temporary access key.
        assume_role_arn: a role to assume, with the credentials of AWS's default chain.
        sts_endpoint: the address of STS, which gives out the role's credentials; empty for AWS's.
        profile: a profile of AWS's configuration files.
        trust_anchor_arn: IAM Roles Anywhere; accepted, without effect as in daprd.
        trust_profile_arn: as ``trust_anchor_arn``.
        additional_model_request_fields: what a model understands beyond Converse's own parameters.
        ca_cert: certificates to trust instead of the usual ones: PEM text, or the path of a PEM file.
        connect_timeout: how long a connection may take to make, in seconds.
        silence_timeout: how long the server may send nothing, in seconds.
    """

    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True)

    region: str = ""
    endpoint: str = ""
    model: str = ""
    access_key: Secret = Secret("")
    secret_key: Secret = Secret("")
    session_token: Secret = Secret("")
    assume_role_arn: str = Field("", validation_alias=AliasChoices("assumeRoleArn", "assumeRoleARN", "assume_role_arn"))
    sts_endpoint: str = ""
    profile: str = ""
    trust_anchor_arn: str = Field(
        "", validation_alias=AliasChoices("trustAnchorArn", "trustAnchorARN", "trust_anchor_arn")
    )
    trust_profile_arn: str = Field(
        "", validation_alias=AliasChoices("trustProfileArn", "trustProfileARN", "trust_profile_arn")
    )
    additional_model_request_fields: Annotated[dict[str, Any], BeforeValidator(_object)] = Field(default_factory=dict)
    ca_cert: str = ""
    connect_timeout: Annotated[Duration, Field(gt=0)] = 10.0
    silence_timeout: Annotated[Duration, Field(gt=0)] = 300.0

    @field_validator("region")
    @classmethod
    def _check_region(cls, region: str) -> str:
        if region and not _REGION.fullmatch(region):
            raise ValueError(f"region must be the code of an AWS region such as eu-central-1, not {region[:40]!r}")
        return region

    @field_validator("endpoint", "sts_endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str) -> str:
        if not endpoint:
            return ""
        endpoint = endpoint.rstrip("/")
        try:
            parts = urlsplit(endpoint)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or parts.query or parts.fragment:
            raise ValueError(
                "it must be an address such as https://bedrock-runtime.eu-central-1.amazonaws.com or"
                " http://localhost:4566"
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError("it must not hold a user name or password; credentials go into accessKey and secretKey")
        return endpoint

    @field_validator("access_key", "secret_key", "session_token")
    @classmethod
    def _check_secret(cls, secret: Secret) -> Secret:
        text = secret.get_secret_value().strip()
        if _CONTROL.search(text):
            raise ValueError("it holds a blank, line break or control character; check the secret it is read from")
        return Secret(text)

    @model_validator(mode="after")
    def _check_pair(self) -> BedrockSettings:
        given = bool(self.access_key.get_secret_value()), bool(self.secret_key.get_secret_value())
        if given[0] != given[1]:
            missing, other = ("secretKey", "accessKey") if given[0] else ("accessKey", "secretKey")
            raise ValueError(f"{other} is set without {missing}; set both, or neither for AWS's own credential chain")
        if self.session_token.get_secret_value() and not given[0]:
            raise ValueError("sessionToken is set without accessKey and secretKey; it goes with a temporary access key")
        return self

    @property
    def static(self) -> bool:
        """Whether the manifest holds an access key."""
        return bool(self.access_key.get_secret_value())
