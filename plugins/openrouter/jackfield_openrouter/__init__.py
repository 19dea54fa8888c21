"""``conversation.openrouter``: every model behind OpenRouter (contract sheet, section 10; Dapr's page of that name).

What differs from OpenAI's is told by OpenRouter's API reference and its pages on provider routing and on reasoning.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec.structs import replace
from pydantic import Field

from jackfield import ConversationRequest, Message, RegisterComponents, hookimpl
from jackfield_openai import ChatBody, CompatibleConversation, Dialect, KeyedSettings, ReplyCall

__all__ = ["OpenRouterBody", "OpenRouterConversation", "OpenRouterSettings", "register_components"]

# Checked on 2026-11-23: OpenAI serves the default of Dapr's page until 2027-01-14, and names gpt-6-luna after it.
DEFAULT_MODEL: Final = "openai/gpt-4o-mini"
DEFAULT_ENDPOINT: Final = "https://openrouter.ai/api/v1"

_TAG: Final = "openrouter:"
_DIALECT: Final = Dialect(metadata=False, retentions=(), most_choices=1, returned_reasoning="reasoning")
_details: Final = msgspec.json.Decoder(list[dict[str, Any]])

HeaderText = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]


class OpenRouterSettings(KeyedSettings):
    """The settings of ``conversation.openrouter``.

    Attributes:
        site_url: the app's address, for OpenRouter's rankings.
        site_title: the app's name, for OpenRouter's rankings.
        reasoning_effort: how much a model that can think thinks; None leaves it to the model.
    """

    site_url: Annotated[HeaderText, Field(alias="siteURL")] = ""
    site_title: HeaderText = ""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None


class OpenRouterBody(ChatBody, kw_only=True, omit_defaults=True):
    """A request's body with what OpenRouter adds."""

    provider: dict[str, bool] | None = None
    reasoning: dict[str, str] | None = None


class OpenRouterConversation(CompatibleConversation[OpenRouterSettings]):
    """A component that a model behind OpenRouter answers for."""

    Settings = OpenRouterSettings
    default_model: ClassVar[str] = DEFAULT_MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("OPENROUTER_MODEL",)
    default_endpoint: ClassVar[str] = DEFAULT_ENDPOINT
    body_type: ClassVar[type[ChatBody]] = OpenRouterBody

    def headers(self) -> dict[str, str]:
        """Return the key, and what the manifest says of the app."""
        app = {"HTTP-Referer": self.settings.site_url, "X-Title": self.settings.site_title}
        return super().headers() | {name: value for name, value in app.items() if value}

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what OpenRouter understands, whatever the model."""
        return _DIALECT

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body, which no provider gets that would pass over a structure or a tool choice in silence."""
        body = super().body(request, model, stream=stream)
        body.messages = [
            replace(written, reasoning_details=_encrypted(message)) if message.tool_calls else written
            for message, written in zip(request.messages, body.messages, strict=True)
        ]
        if isinstance(body, OpenRouterBody):
            if body.response_format is not None or body.tool_choice not in (None, "auto"):
                body.provider = {"require_parameters": True}
            if self.settings.reasoning_effort is not None:
                body.reasoning = {"effort": self.settings.reasoning_effort}
        return body

    def opaque(self, call: ReplyCall, details: Sequence[Mapping[str, Any]]) -> str:  # noqa: ARG002
        """Return the reasoning that the model's maker has encrypted; readable reasoning goes out as a part."""
        kept = [detail for detail in details if detail.get("type") == "reasoning.encrypted"]
        return _TAG + urlsafe_b64encode(msgspec.json.encode(kept)).decode() if kept else ""


def _encrypted(message: Message) -> list[dict[str, Any]] | None:
    """Return the encrypted reasoning that has come back with a message's calls; other providers' data is no news."""
    found: list[dict[str, Any]] = []
    for call in message.tool_calls:
        if call.opaque.startswith(_TAG):
            try:
                found += _details.decode(urlsafe_b64decode(call.opaque.removeprefix(_TAG)))
            except (binascii.Error, msgspec.DecodeError, ValueError):
                continue  # An app has changed the id; OpenRouter does without.
    return found or None


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.openrouter``."""
    register.conversation("conversation.openrouter", OpenRouterConversation)
