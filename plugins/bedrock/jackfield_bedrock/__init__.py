"""Amazon Bedrock for Jackfield, on the ``Converse`` and ``ConverseStream`` operations.

The names here are the public interface.
"""

from __future__ import annotations

from jackfield_bedrock.conversation import BedrockConversation
from jackfield_bedrock.defaults import BEDROCK_MODEL
from jackfield_bedrock.settings import BedrockSettings

__all__ = ["BEDROCK_MODEL", "BedrockConversation", "BedrockSettings"]
