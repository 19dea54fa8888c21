"""The settings of ``conversation.anthropic``."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import ValidationInfo, field_validator, model_validator

from jackfield import Secret
from jackfield.upstream import UpstreamSettings
from jackfield_anthropic.dialect import claude_dialect
from jackfield_anthropic.thinking import Thinking, thinking_config

__all__ = ["AnthropicSettings"]


class AnthropicSettings(UpstreamSettings):
    """What a manifest may say (contract sheet, sections 10.1 and 10.2), and ``thinking``, which is ours.

    Attributes:
        key: the API key; the host names the fix if it is missing.
        api_type: ``anthropic`` or ``foundry``, in any case.
        thinking: ``off``, ``adaptive``, an effort from ``low`` to ``max``, or a budget in tokens; empty for the
            model's own default.
    """

    operation: ClassVar[str] = "/messages"

    key: Secret
    api_type: str = "anthropic"
    thinking: str = ""

    @classmethod
    def base_address(cls, text: str) -> str:
        """Return an endpoint in the form that paths are added to.

        Addresses end in ``/v1`` (contract sheet, section 10.2); a server's bare address gets it, and so does one that
        ends in ``/anthropic``, as Foundry shows it.

        Raises:
            ValueError: it is no http or https address, or holds what can't be part of a base address.
        """
        base = super().base_address(text)
        path = urlsplit(base).path
        return f"{base}/v1" if not path or path.endswith("/anthropic") else base

    @field_validator("api_type")
    @classmethod
    def _check_api_type(cls, api_type: str) -> str:
        known = api_type.lower() or "anthropic"
        if known not in {"anthropic", "foundry"}:
            raise ValueError(f"apiType must be anthropic or foundry, not {api_type[:40]!r}")
        return known

    @field_validator("thinking")
    @classmethod
    def _check_thinking(cls, thinking: str, info: ValidationInfo) -> str:
        parsed = Thinking.parse(thinking)
        if model := info.data.get("model"):  # Else the environment's counts, once the component is built.
            dialect = claude_dialect(model, foundry=info.data.get("api_type") == "foundry")
            thinking_config(parsed, dialect, model)
        return thinking

    @model_validator(mode="after")
    def _check_foundry(self) -> AnthropicSettings:
        if self.foundry and not self.endpoint:
            raise ValueError("endpoint must be provided when apiType is set to 'foundry'")
        return self

    @property
    def foundry(self) -> bool:
        """Whether Microsoft Foundry is meant."""
        return self.api_type == "foundry"
