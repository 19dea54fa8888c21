"""The settings of ``conversation.openai``, and the base of every other OpenAI-compatible type's settings."""

from __future__ import annotations

from typing import ClassVar

from pydantic import field_validator, model_validator

from jackfield import Secret
from jackfield.upstream import UpstreamSettings

__all__ = ["CompatibleSettings", "KeyedSettings", "OpenAISettings"]


class CompatibleSettings(UpstreamSettings):
    """What every OpenAI-compatible component type can be told in its manifest."""

    operation: ClassVar[str] = "/chat/completions"


class KeyedSettings(CompatibleSettings):
    """The same for a provider that answers nobody without a key: ``jackfield check`` tells a missing one.

    Attributes:
        key: the API key; the host names the fix if it is missing.
    """

    key: Secret


class OpenAISettings(KeyedSettings):
    """The settings of ``conversation.openai`` (contract sheet, sections 10.1 and 10.2).

    Attributes:
        api_type: ``open_ai`` or ``azure``, in any case.
        api_version: the ``api-version`` of Azure's API; Azure alone has one.
        reasoning_effort: how much a model that can think thinks, in the API's words; empty leaves it to the model.
    """

    api_type: str = "open_ai"
    api_version: str = ""
    reasoning_effort: str = ""

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
