"""``conversation.ollama``: a local Ollama server, or Ollama's cloud (contract sheet, section 10.2).

What its compatible API knows is told by Ollama's page on OpenAI compatibility; what is not there it passes over in
silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from jackfield import ConversationRequest, RegisterComponents, Secret, hookimpl
from jackfield_openai import ChatBody, CompatibleConversation, CompatibleSettings, Dialect

__all__ = ["OllamaConversation", "OllamaSettings", "register_components"]

# Checked on 2026-11-23: Dapr's default is in Ollama's library.
DEFAULT_MODEL: Final = "llama3.2:latest"
DEFAULT_ENDPOINT: Final = "http://localhost:11434/v1"

_DIALECT: Final = Dialect(
    refused=frozenset({"top_k"}), metadata=False, retentions=(), most_choices=1, tool_choices=frozenset()
)
_REASON: Final = "Ollama ignores it; a forced choice is refused"


class OllamaSettings(CompatibleSettings):
    """The settings of ``conversation.ollama``.

    Attributes:
        key: what a proxy or Ollama's cloud asks for; a local server ignores it.
        reasoning_effort: how much a model that can think thinks; None leaves it to the model.
    """

    key: Secret = Secret("ollama")
    reasoning_effort: Literal["none", "low", "medium", "high"] | None = None


class OllamaConversation(CompatibleConversation[OllamaSettings]):
    """A component that an Ollama server answers for."""

    Settings = OllamaSettings
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"tool_choice": _REASON, "tool_choice_by_name": _REASON, "opaque": "the API signs nothing"}
    )
    default_model: ClassVar[str] = DEFAULT_MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("OLLAMA_MODEL",)
    default_endpoint: ClassVar[str] = DEFAULT_ENDPOINT

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what the API understands, whatever the model."""
        return _DIALECT

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body, with the manifest's reasoning effort."""
        body = super().body(request, model, stream=stream)
        body.reasoning_effort = self.settings.reasoning_effort
        return body


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.ollama``."""
    register.conversation("conversation.ollama", OllamaConversation)
