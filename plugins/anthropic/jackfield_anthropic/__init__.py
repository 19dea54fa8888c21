"""Anthropic's Claude for Jackfield, on Anthropic's own API and on Microsoft Foundry.

The names here are the public interface, also for plugins of other servers that speak the Messages API.
"""

from __future__ import annotations

from jackfield_anthropic.conversation import AnthropicConversation
from jackfield_anthropic.dialect import Dialect, claude_dialect
from jackfield_anthropic.settings import AnthropicSettings
from jackfield_anthropic.thinking import Thinking

__all__ = ["AnthropicConversation", "AnthropicSettings", "Dialect", "Thinking", "claude_dialect"]
