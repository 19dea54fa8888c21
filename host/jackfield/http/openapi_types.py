"""The bodies that the HTTP API takes, as types for its OpenAPI document.

Requests are read by hand, field by field, because each field has several spellings and forms. These types show the one
that is recommended; a test compares their fields with what is read.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

__all__ = ["Alpha1Request", "Alpha2Request", "Settings"]

_DURATION = r"^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$"
Duration = Annotated[str, Meta(pattern=_DURATION, examples=["10m"])]
Scrub = Annotated[bool, Meta(description="Mask personal data.")]


class Settings(Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """Generation settings that every request may bring; the manifest says which of them it may override."""

    temperature: Annotated[float, Meta(ge=0)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=1)] | None = None
    stop: list[str] | str | None = None
    seed: int | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    n: Annotated[int, Meta(ge=1)] | None = None
    model: str | None = None


class Alpha1Input(Struct, kw_only=True, rename={"scrub_pii": "scrubPII"}):
    """One turn of the conversation."""

    content: str
    role: str = "user"
    scrub_pii: Scrub = False


class Alpha1Request(Settings, kw_only=True, rename={"context_id": "contextID", "scrub_pii": "scrubPII"}):
    """A conversation by alpha1."""

    inputs: Annotated[list[Alpha1Input], Meta(min_length=1)]
    context_id: str = ""
    parameters: dict[str, Any] = {}
    metadata: dict[str, str | float | bool | None] = {}
    scrub_pii: Scrub = False
    cache_ttl: Annotated[Duration, Meta(description="How long the reply may be kept.")] | None = None


class Content(Struct, kw_only=True):
    """A piece of text."""

    text: str = ""


class Turn(Struct, kw_only=True, rename="camel"):
    """What somebody says."""

    name: str = ""
    content: list[Content] = []


class CalledFunction(Struct, kw_only=True):
    """A called function; ``arguments`` is JSON as text."""

    name: str = ""
    arguments: str = ""


class Called(Struct, kw_only=True):
    """A call that the assistant asked for."""

    function: CalledFunction
    id: str = ""


class AssistantTurn(Turn, kw_only=True, rename="camel"):
    """What the assistant said, and which functions it wanted called."""

    tool_calls: list[Called] = []


class ToolTurn(Turn, kw_only=True, rename="camel"):
    """What a tool answered to the call ``toolId``."""

    tool_id: str = ""


class Message(Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """One turn; it has exactly one of these members."""

    of_developer: Turn | None = None
    of_system: Turn | None = None
    of_user: Turn | None = None
    of_assistant: AssistantTurn | None = None
    of_tool: ToolTurn | None = None


class Alpha2Input(Struct, kw_only=True, rename={"scrub_pii": "scrubPII"}):
    """Messages; those of all inputs are one conversation."""

    messages: list[Message] = []
    scrub_pii: Scrub = False


class FunctionSchema(Struct, kw_only=True):
    """A function that the model may call; ``parameters`` is a JSON Schema."""

    name: str = ""
    description: str = ""
    parameters: dict[str, Any] | None = None


class Tool(Struct, kw_only=True):
    """A tool."""

    function: FunctionSchema


class Alpha2Request(Settings, kw_only=True, rename="camel"):
    """A conversation by alpha2."""

    inputs: Annotated[list[Alpha2Input], Meta(min_length=1)]
    context_id: str = ""
    parameters: dict[str, Any] = {}
    metadata: dict[str, str | None] = {}
    tools: list[Tool] = []
    tool_choice: Annotated[str, Meta(description="`auto`, `none`, `required`, or the name of a tool.")] = ""
    response_format: Annotated[dict[str, Any], Meta(description="A JSON Schema, or OpenAI's envelope.")] = {}
    prompt_cache_retention: Duration | None = None
    scrub_pii: Scrub = False
    cache_ttl: Annotated[Duration, Meta(description="How long the reply may be kept.")] | None = None
    stream: Annotated[bool, Meta(description="Stream the reply; so does `Accept: text/event-stream`.")] | None = None
