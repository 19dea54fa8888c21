"""Jackfield: a plugin-based conversation component host.

The names here are the public interface for plugins; everything else may move.
"""

from __future__ import annotations

from jackfield.chain.build import ChainBuild, ScrubStages
from jackfield.chain.forms import collect
from jackfield.chain.handler import Handler, Stage
from jackfield.chain.supply import Supply
from jackfield.chain.unary import Answer, unary
from jackfield.components import Build, Component, Conversation, SecretStore
from jackfield.errors import (
    BreakerOpen,
    ConfigurationError,
    InvalidParameters,
    InvalidSetting,
    InvokeError,
    JackfieldError,
    NoSuchComponent,
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
from jackfield.faults import is_fault
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
from jackfield.observing import BreakerChange, CatalogChange, ComponentChange
from jackfield.policies import PolicySettings
from jackfield.routing import RoutingStrategy, Target
from jackfield.scrubbing import Scrubber, ScrubStream, Span
from jackfield.settings import ByteSize, DaprSettings, Duration, Secret, Settings, StringList
from jackfield.stores import CacheStore, StoreHealth
from jackfield.version import __version__

__all__ = [
    "Answer",
    "BreakerChange",
    "BreakerOpen",
    "Build",
    "ByteSize",
    "CacheStore",
    "CatalogChange",
    "ChainBuild",
    "Choice",
    "Component",
    "ComponentChange",
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
    "Handler",
    "Headers",
    "InvalidParameters",
    "InvalidSetting",
    "InvokeError",
    "JackfieldError",
    "Message",
    "NoSuchComponent",
    "Overloaded",
    "Part",
    "PluginError",
    "PolicySettings",
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
    "ScrubStages",
    "ScrubStream",
    "Scrubber",
    "ScrubberMissing",
    "Secret",
    "SecretNotFound",
    "SecretStore",
    "Settings",
    "Span",
    "Stage",
    "StoreHealth",
    "StringList",
    "Supply",
    "Target",
    "TextPart",
    "Tool",
    "ToolCall",
    "ToolCallPart",
    "Usage",
    "__version__",
    "collect",
    "hookimpl",
    "is_fault",
    "unary",
]
