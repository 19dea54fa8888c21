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
from jackfield.headers import Headers
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
from jackfield.routing import RoutingStrategy, Target
from jackfield.scrubbing import Scrubber, ScrubStream, Span
from jackfield.settings import ByteSize, DaprSettings, Duration, Secret, Settings, StringList
from jackfield.stores import CacheStore
from jackfield.version import __version__

__all__ = [
    "Build",
    "ByteSize",
    "CacheStore",
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
    "Headers",
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
    "RoutingStrategy",
    "ScrubStream",
    "Scrubber",
    "ScrubberMissing",
    "Secret",
    "SecretNotFound",
    "SecretStore",
    "Settings",
    "Span",
    "StringList",
    "Target",
    "TextPart",
    "Tool",
    "ToolCall",
    "ToolCallPart",
    "Usage",
    "__version__",
    "hookimpl",
]
