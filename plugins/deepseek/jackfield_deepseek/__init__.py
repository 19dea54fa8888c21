"""``conversation.deepseek``: DeepSeek's chat completions (contract sheet, section 10.2).

What differs from OpenAI's is told by DeepSeek's API reference and its guide on the thinking mode, which is on unless a
request says otherwise, takes no forced tool choice, and wants its thoughts back once tools have been called.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from msgspec.structs import replace

from jackfield import ConversationRequest, InvalidParameters, RegisterComponents, hookimpl
from jackfield_openai import ChatBody, ChatMessage, CompatibleConversation, Dialect, KeyedSettings

__all__ = ["DeepSeekBody", "DeepSeekConversation", "DeepSeekSettings", "register_components"]

# Checked on 2026-11-23: DeepSeek ended both names of Dapr's time on 2026-07-24, and says what they stood for.
DEFAULT_MODEL: Final = "deepseek-v4-flash"
DEFAULT_ENDPOINT: Final = "https://api.deepseek.com"
RETIRED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"deepseek-chat": (DEFAULT_MODEL, "disabled"), "deepseek-reasoner": (DEFAULT_MODEL, "enabled")}
)

_UNKNOWN_THOUGHT: Final = " "
_DIALECT: Final = Dialect(
    refused=frozenset({"seed", "top_k"}),
    metadata=False,
    retentions=(),
    most_choices=1,
    structured="tool",
    strict_tools=False,
    returned_reasoning="reasoning_content",
)


class DeepSeekSettings(KeyedSettings):
    """The settings of ``conversation.deepseek``.

    Attributes:
        thinking: whether the model thinks first; empty leaves it to the model, and the default model doesn't.
    """

    thinking: Literal["", "enabled", "disabled"] = ""


class DeepSeekBody(ChatBody, kw_only=True, omit_defaults=True):
    """A request's body with DeepSeek's switch for thinking."""

    thinking: dict[str, str] | None = None


class DeepSeekConversation(CompatibleConversation[DeepSeekSettings]):
    """A component that one of DeepSeek's models answers for."""

    Settings = DeepSeekSettings
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType({"opaque": "the API signs nothing"})
    default_model: ClassVar[str] = DEFAULT_MODEL
    default_endpoint: ClassVar[str] = DEFAULT_ENDPOINT
    body_type: ClassVar[type[ChatBody]] = DeepSeekBody

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what the API understands, whatever the model."""
        return _DIALECT

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body, with thinking switched as model, manifest and request need it.

        Raises:
            InvalidParameters: the request forces a call, or a structure, and the manifest wants thinking.
        """
        served, mode = RETIRED.get(model, (model, ""))
        if not (self.settings.model or request.model):
            mode = "disabled"  # Dapr's default model did not think.
        mode = self.settings.thinking or mode
        body = super().body(request, served, stream=stream)
        if isinstance(body.tool_choice, dict) or body.tool_choice == "required":
            if self.settings.thinking == "enabled":
                raise InvalidParameters(
                    "DeepSeek's thinking mode takes no forced tool choice, and a response format needs one;"
                    " take thinking out of the manifest, or use tool choice auto"
                )
            mode = "disabled"
        if isinstance(body, DeepSeekBody) and mode:
            body.thinking = {"type": mode}
        body.messages = _with_thoughts(body.messages, thinking=mode != "disabled")
        return body


def _with_thoughts(messages: list[ChatMessage], *, thinking: bool) -> list[ChatMessage]:
    """Give back what the assistant thought, which the thinking mode asks for once a tool has been called.

    Where an app has not kept it, a blank does: the API refuses a request without the member, and one with empty text.
    """
    needed = thinking and any(message.tool_calls for message in messages)
    unknown = _UNKNOWN_THOUGHT if needed else None
    return [
        replace(message, reasoning_content=(message.reasoning_content or unknown) if needed else None)
        if message.role == "assistant"
        else message
        for message in messages
    ]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.deepseek``."""
    register.conversation("conversation.deepseek", DeepSeekConversation)
