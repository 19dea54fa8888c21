"""What the host finds: the component type ``conversation.openai``."""

from __future__ import annotations

from jackfield import RegisterComponents, hookimpl
from jackfield_openai.conversation import OpenAIConversation

__all__ = ["register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.openai``."""
    register.conversation("conversation.openai", OpenAIConversation)
