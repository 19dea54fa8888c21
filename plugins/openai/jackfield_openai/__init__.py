"""OpenAI, Azure OpenAI and every OpenAI-compatible server for Jackfield.

The names here are the public interface, also for plugins of other providers with a compatible API: derive settings
from ``CompatibleSettings``, the component from ``CompatibleConversation``, and override what the server does
differently.
"""

from __future__ import annotations

from jackfield_openai.component import CompatibleConversation
from jackfield_openai.conversation import OpenAIConversation
from jackfield_openai.dialect import COMPATIBLE, OPENAI, Dialect, openai_dialect
from jackfield_openai.replies import FINISH_REASONS
from jackfield_openai.requests import build_body
from jackfield_openai.settings import CompatibleSettings, KeyedSettings, OpenAISettings
from jackfield_openai.wire import ChatBody, ChatMessage, ChatToolCall, ReplyCall

__all__ = [
    "COMPATIBLE",
    "FINISH_REASONS",
    "OPENAI",
    "ChatBody",
    "ChatMessage",
    "ChatToolCall",
    "CompatibleConversation",
    "CompatibleSettings",
    "Dialect",
    "KeyedSettings",
    "OpenAIConversation",
    "OpenAISettings",
    "ReplyCall",
    "build_body",
    "openai_dialect",
]
