"""``conversation.googleai``: Gemini through Google's OpenAI-compatible API (contract sheet, section 10.2).

What differs from OpenAI's is told by Google's pages on OpenAI compatibility and on thought signatures. Members that
its reference doesn't name are refused there with status 400, so they are left out here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

from msgspec.structs import replace

from jackfield import ConversationRequest, FinishReason, RegisterComponents, ToolCall, hookimpl
from jackfield_openai import (
    FINISH_REASONS,
    ChatBody,
    ChatToolCall,
    CompatibleConversation,
    Dialect,
    KeyedSettings,
    ReplyCall,
)

__all__ = ["GoogleAIConversation", "GoogleAISettings", "register_components"]

# Checked on 2026-11-23: Google's page of deprecations has no end for Dapr's default.
DEFAULT_MODEL: Final = "gemini-2.5-flash-lite"
DEFAULT_ENDPOINT: Final = "https://generativelanguage.googleapis.com/v1beta/openai"

_TAG: Final = "googleai:"
_UNSIGNED: Final = "skip_thought_signature_validator"
_NEEDS_NO_SIGNATURE = re.compile(r"(models/)?gemini-[12][.-].*")
_DIALECT: Final = Dialect(
    refused=frozenset({"top_k", "seed", "presence_penalty", "frequency_penalty"}),
    metadata=False,
    retentions=(),
    strict_tools=False,
)
_BLOCKED: Final = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE")


class GoogleAISettings(KeyedSettings):
    """The settings of ``conversation.googleai``.

    Attributes:
        reasoning_effort: how much the model thinks; None leaves it to the model.
    """

    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None


class GoogleAIConversation(CompatibleConversation[GoogleAISettings]):
    """A component that one of Google's models answers for."""

    Settings = GoogleAISettings
    default_model: ClassVar[str] = DEFAULT_MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("GOOGLEAI_MODEL",)
    default_endpoint: ClassVar[str] = DEFAULT_ENDPOINT
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        **FINISH_REASONS,
        "MAX_TOKENS": "length",
        **dict.fromkeys(_BLOCKED, "content_filter"),
    }

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what the API understands, whatever the model."""
        return _DIALECT

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body, with the thought signatures of earlier turns back at their calls."""
        body = super().body(request, model, stream=stream)
        body.reasoning_effort = self.settings.reasoning_effort
        needed = not _NEEDS_NO_SIGNATURE.fullmatch(model)
        for number, message in enumerate(request.messages):
            written = body.messages[number]
            if written.tool_calls:
                calls = [
                    _signed(call, sent, needed=needed and first == 0)
                    for first, (call, sent) in enumerate(zip(message.tool_calls, written.tool_calls, strict=True))
                ]
                body.messages[number] = replace(written, tool_calls=calls)
        return body

    def opaque(self, call: ReplyCall, details: Sequence[Mapping[str, Any]]) -> str:  # noqa: ARG002
        """Return the call's thought signature; of several calls at once, the first has one."""
        match call.extra_content:
            case {"google": {"thought_signature": str(signature)}} if signature:
                return _TAG + signature
        return ""


def _signed(call: ToolCall, written: ChatToolCall, *, needed: bool) -> ChatToolCall:
    """Put a call's signature back.

    Gemini 3 and later refuse a turn whose first call has none. Google's page names the word to write where a call is
    another model's.
    """
    signature = call.opaque.removeprefix(_TAG) if call.opaque.startswith(_TAG) else _UNSIGNED if needed else ""
    if not signature:
        return written
    return replace(written, extra_content={"google": {"thought_signature": signature}})


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.googleai``."""
    register.conversation("conversation.googleai", GoogleAIConversation)
