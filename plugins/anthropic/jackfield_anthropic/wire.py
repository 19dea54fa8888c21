"""The Messages API as msgspec structs: what is sent, and the parts of a reply that are read.

Requests follow Anthropic's API reference (``POST /v1/messages``). Replies are read leniently: a compatible server may
leave out what Anthropic always sends, so every member has a default.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Raw, Struct

__all__ = [
    "Content",
    "InputTool",
    "MessageReply",
    "MessagesBody",
    "RedactedContent",
    "ReplyBlock",
    "ReplyDelta",
    "ReplyError",
    "ReplyEvent",
    "ReplyUsage",
    "StopDetails",
    "TextContent",
    "ThinkingConfig",
    "ThinkingContent",
    "ToolResultContent",
    "ToolUseContent",
    "Turn",
]

Count: TypeAlias = Any
"""A number of tokens, as ``jackfield.upstream.token_count`` reads it: a reply isn't refused for an odd one."""


class TextContent(Struct, frozen=True, tag="text", gc=False):
    """Text; the API refuses it if it is blank."""

    text: str


class ThinkingContent(Struct, frozen=True, tag="thinking", gc=False):
    """Thinking of an earlier turn; the text may be empty, the signature holds all of it."""

    thinking: str
    signature: str


class RedactedContent(Struct, frozen=True, tag="redacted_thinking", gc=False):
    """Thinking of an earlier turn that nobody may read."""

    data: str


class ToolUseContent(Struct, frozen=True, tag="tool_use"):
    """A tool call of an earlier turn; ``input`` is a JSON object."""

    id: str
    name: str
    input: Raw


class ToolResultContent(Struct, frozen=True, tag="tool_result", omit_defaults=True):
    """What a called tool gave."""

    tool_use_id: str
    content: list[TextContent] | None = None


Content: TypeAlias = TextContent | ThinkingContent | RedactedContent | ToolUseContent | ToolResultContent


class Turn(Struct):
    """One turn; the roles ``user`` and ``assistant`` take turns."""

    role: str
    content: list[Content]


class InputTool(Struct, frozen=True, omit_defaults=True):
    """A function the model may call."""

    name: str
    input_schema: dict[str, Any]
    description: str | None = None


class ThinkingConfig(Struct, frozen=True, omit_defaults=True):
    """How to think: ``adaptive``, ``enabled`` with a budget, ``between_tools`` or ``disabled``."""

    type: str
    budget_tokens: int | None = None
    display: str | None = None


class MessagesBody(Struct, kw_only=True, omit_defaults=True):
    """A request's body; what is None is not sent."""

    model: str
    max_tokens: int
    messages: list[Turn]
    system: list[TextContent] | None = None
    stream: bool = False
    tools: list[InputTool] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: ThinkingConfig | None = None
    output_config: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] | None = None
    metadata: dict[str, str] | None = None
    cache_control: dict[str, str] | None = None


class ReplyBlock(Struct):
    """One block of a reply's content, of whatever type; which members are set depends on it."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw()


class OutputDetails(Struct, gc=False):
    """What the reply's tokens were."""

    thinking_tokens: Count = None


class ReplyUsage(Struct):
    """Tokens; in a stream each count is the sum so far. Tokens of the prompt cache are counted apart."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_read_input_tokens: Count = None
    output_tokens_details: OutputDetails | None = None


class StopDetails(Struct):
    """Why a request was refused, in words."""

    explanation: str | None = None


class ReplyError(Struct):
    """An error; its type stands for a status."""

    type: str = ""
    message: str = ""


class MessageReply(Struct):
    """A whole reply, or the message that a stream begins with."""

    type: str = ""
    content: list[ReplyBlock] | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    usage: ReplyUsage | None = None
    error: ReplyError | None = None


class ReplyDelta(Struct):
    """What an event adds to a block, or says of the reply's end."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class ReplyEvent(Struct):
    """One event of a streamed reply, of whatever type; which members are set depends on it."""

    type: str = ""
    message: MessageReply | None = None
    index: int = 0
    content_block: ReplyBlock | None = None
    delta: ReplyDelta | None = None
    usage: ReplyUsage | None = None
    error: ReplyError | None = None
