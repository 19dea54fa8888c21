"""What the host finds: the component type ``conversation.anthropic``."""

from __future__ import annotations

from jackfield import RegisterComponents, hookimpl
from jackfield_anthropic.conversation import AnthropicConversation

__all__ = ["register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.anthropic``."""
    register.conversation("conversation.anthropic", AnthropicConversation)
