"""The settings of ``conversation.openai``, and the base of every other OpenAI-compatible type's settings."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from jackfield import DaprSettings, Duration, Secret

__all__ = ["CompatibleSettings", "OpenAISettings", "checked_endpoint"]

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})


def checked_endpoint(text: str) -> str:
    """Return an endpoint in the form that paths are added to: no blanks around it, no slash at its end.

    Raises:
        ValueError: it is no http or https address, or holds what can't be part of a base address.
    """
    text = text.strip().rstrip("/").removesuffix("/chat/completions")
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("endpoint must be an address such as https://api.openai.com/v1 or http://localhost:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("endpoint must not hold a user name or password; put credentials into key or headers")
    if parts.query or parts.fragment:
        raise ValueError("endpoint must be a base address without ? and #; an API version goes into apiVersion")
    return text


def _headers(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return {}
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('headers must be an object of texts, such as {"X-Team": "search"}') from None


class CompatibleSettings(DaprSettings):
    """What every OpenAI-compatible component type can be told in its manifest.

    Attributes:
        key: the API key.
        model: the model's name; empty for the environment's or the type's default.
        endpoint: the base address, to which ``/chat/completions`` is added; empty for the environment's or the default.
        ca_cert: certificates to trust beside the system's: PEM text, or the path of a PEM file.
        headers: HTTP headers to send with each call; they win over the plugin's own.
        connect_timeout: how long a connection may take to make, in seconds.
        silence_timeout: how long the server may send nothing, in seconds.
    """

    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True)

    key: Secret = Secret("")
    model: str = ""
    endpoint: str = ""
    ca_cert: str = ""
    headers: Annotated[dict[str, str], BeforeValidator(_headers)] = Field(default_factory=dict, repr=False)
    connect_timeout: Annotated[Duration, Field(gt=0)] = 10.0
    silence_timeout: Annotated[Duration, Field(gt=0)] = 300.0

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: Secret) -> Secret:
        text = key.get_secret_value().strip()
        if _CONTROL.search(text):
            raise ValueError("the API key holds a line break or control character; check the secret it is read from")
        return Secret(text)

    @field_validator("endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str) -> str:
        return checked_endpoint(endpoint) if endpoint else ""

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name[:40]!r} is not the name of an HTTP header")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(
                    f"the header {name} is set by the plugin and can't be replaced; take it out of headers"
                )
            if _CONTROL.search(value):
                raise ValueError(f"the value of the header {name} holds a line break or control character")
        return headers


class OpenAISettings(CompatibleSettings):
    """The settings of ``conversation.openai`` (contract sheet, sections 10.1 and 10.2).

    Attributes:
        key: the API key; the host names the fix if it is missing.
        api_type: ``open_ai`` or ``azure``, in any case.
        api_version: the ``api-version`` of Azure's API; Azure alone has one.
    """

    key: Secret
    api_type: str = "open_ai"
    api_version: str = ""

    @field_validator("api_type")
    @classmethod
    def _check_api_type(cls, api_type: str) -> str:
        known = {"": "open_ai", "open_ai": "open_ai", "openai": "open_ai", "azure": "azure"}
        if api_type.lower() not in known:
            raise ValueError(f"apiType must be open_ai or azure, not {api_type[:40]!r}")
        return known[api_type.lower()]

    @model_validator(mode="after")
    def _check_azure(self) -> OpenAISettings:
        if self.azure and not (self.endpoint and self.api_version):
            raise ValueError("endpoint and apiVersion must be provided when apiType is set to 'azure'")
        return self

    @property
    def azure(self) -> bool:
        """Whether Azure's API is meant."""
        return self.api_type == "azure"
