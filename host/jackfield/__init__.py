"""Jackfield: a plugin-based conversation component host.

The names here are the public interface for plugins; everything else may move.
"""

from __future__ import annotations

from jackfield.components import Build, Component, Conversation, SecretStore
from jackfield.errors import (
    ConfigurationError,
    InvalidParameters,
    InvokeError,
    JackfieldError,
    Overloaded,
    PluginError,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    ScrubberMissing,
    SecretNotFound,
)
from jackfield.events import Choice, Delta, Event, Finish, FinishReason, Result, ToolCallPart, Usage
from jackfield.hookspecs import RegisterComponents, RegisterObservers, hookimpl
from jackfield.messages import (
    ConversationRequest,
    GenerationSettings,
    Message,
    Part,
    ReasoningPart,
    Record,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield.settings import ByteSize, DaprSettings, Duration, Secret, Settings, StringList
from jackfield.version import __version__

__all__ = [
    "Build",
    "ByteSize",
    "Choice",
    "Component",
    "ConfigurationError",
    "Conversation",
    "ConversationRequest",
    "DaprSettings",
    "Delta",
    "Duration",
    "Event",
    "Finish",
    "FinishReason",
    "GenerationSettings",
    "InvalidParameters",
    "InvokeError",
    "JackfieldError",
    "Message",
    "Overloaded",
    "Part",
    "PluginError",
    "ProviderError",
    "ProviderTimeout",
    "ProviderUnreachable",
    "ReasoningPart",
    "Record",
    "RegisterComponents",
    "RegisterObservers",
    "RequestError",
    "ResponseFormat",
    "Result",
    "Role",
    "ScrubberMissing",
    "Secret",
    "SecretNotFound",
    "SecretStore",
    "Settings",
    "StringList",
    "TextPart",
    "Tool",
    "ToolCall",
    "ToolCallPart",
    "Usage",
    "__version__",
    "hookimpl",
]
