"""The settings that every component with a server behind it has in common."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from jackfield.settings import DaprSettings, Duration, Secret

__all__ = ["UpstreamSettings"]

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})


def _headers(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return {}
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('headers must be an object of texts, such as {"X-Team": "search"}') from None


class UpstreamSettings(DaprSettings):
    """What a manifest may say of a provider that is reached over HTTP (contract sheet, section 10.1, and our own).

    Attributes:
        key: the API key.
        model: the model's name; empty for the environment's or the type's default.
        endpoint: the base address, to which paths are added; empty for the environment's or the type's default.
        ca_cert: certificates to trust beside the system's: PEM text, or the path of a PEM file.
        headers: HTTP headers to send with each call; they win over the plugin's own.
        connect_timeout: how long a connection may take to make, in seconds.
        silence_timeout: how long the server may send nothing, in seconds.
    """

    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True)

    operation: ClassVar[str] = ""
    """The path of the API's one operation, such as ``/chat/completions``: an endpoint that ends in it loses it."""

    key: Secret = Secret("")
    model: str = ""
    endpoint: str = ""
    ca_cert: str = ""
    headers: Annotated[dict[str, str], BeforeValidator(_headers)] = Field(default_factory=dict, repr=False)
    connect_timeout: Annotated[Duration, Field(gt=0)] = 10.0
    silence_timeout: Annotated[Duration, Field(gt=0)] = 300.0

    @classmethod
    def needs_key(cls) -> bool:
        """Say whether the provider answers nobody without an API key: a class that requires the field says so."""
        return cls.model_fields["key"].is_required()

    @classmethod
    def base_address(cls, text: str) -> str:
        """Return an endpoint in the form that paths are added to: no blanks around it, no slash at its end.

        Raises:
            ValueError: it is no http or https address, or holds what can't be part of a base address.
        """
        text = text.strip().rstrip("/").removesuffix(cls.operation)
        try:
            parts = urlsplit(text)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise ValueError(
                "endpoint must be an address such as https://api.example.com/v1 or http://localhost:8000/v1"
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError("endpoint must not hold a user name or password; put credentials into key or headers")
        if parts.query or parts.fragment:
            raise ValueError("endpoint must be a base address without ? and #; an API version goes into apiVersion")
        return text

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
        return cls.base_address(endpoint) if endpoint else ""

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
