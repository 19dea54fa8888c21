"""What the host finds: the component type ``conversation.aws.bedrock``."""

from __future__ import annotations

from jackfield import RegisterComponents, hookimpl
from jackfield_bedrock.conversation import BedrockConversation

__all__ = ["register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.aws.bedrock``."""
    register.conversation("conversation.aws.bedrock", BedrockConversation)
