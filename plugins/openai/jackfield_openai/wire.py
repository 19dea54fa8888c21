"""The chat completions API as msgspec structs: what is sent, and the parts of a reply that are read.

Requests follow OpenAI's API reference (``POST /chat/completions``). Replies are read leniently: compatible servers
write null or leave out what OpenAI always sends, so every member has a default.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct

__all__ = [
    "ChatBody",
    "ChatChunk",
    "ChatMessage",
    "ChatReply",
    "ChatToolCall",
    "ChatUsage",
    "ReplyCall",
    "ReplyChoice",
    "ReplyMessage",
    "TextContent",
]

Count: TypeAlias = Any
"""A number of tokens, as ``jackfield.upstream.token_count`` reads it: a reply isn't refused for an odd one."""


class ChatFunction(Struct, frozen=True, gc=False):
    """The function that a tool call names; ``arguments`` is JSON text."""

    name: str
    arguments: str


class ChatToolCall(Struct, frozen=True, omit_defaults=True):
    """A tool call of an earlier turn; ``extra_content`` is where Google's API keeps data of its own."""

    id: str
    function: ChatFunction
    type: str
    extra_content: dict[str, Any] | None = None


class TextContent(Struct, frozen=True, gc=False):
    """One of several text parts."""

    text: str
    type: str = "text"


class ChatMessage(Struct, frozen=True, omit_defaults=True):
    """One message; ``content`` is always written, null beside tool calls alone.

    The members from ``name`` on are those of compatible servers: Mistral's, DeepSeek's and OpenRouter's.
    """

    role: str
    content: str | list[TextContent] | None
    tool_calls: list[ChatToolCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    prefix: bool | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None


class ChatBody(Struct, kw_only=True, omit_defaults=True):
    """A request's body. Derive from it to add a member of your own; what is None is not sent."""

    model: str
    messages: list[ChatMessage]
    stream: bool = False
    stream_options: dict[str, bool] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    random_seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    n: int | None = None
    reasoning_effort: str | None = None
    metadata: dict[str, str] | None = None
    prompt_cache_retention: str | None = None


class ReplyFunction(Struct, gc=False):
    """A called function; some servers write ``arguments`` as an object instead of text."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class ReplyCall(Struct):
    """A tool call, or a piece of one; ``index`` is given in streams."""

    id: str | None = None
    index: int | None = None
    function: ReplyFunction | None = None
    extra_content: Any = None


class ReplyMessage(Struct):
    """A choice's message, or in a stream its ``delta``. ``content`` is text or, at some servers, a list of parts."""

    content: str | list[dict[str, Any]] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: str | None = None
    tool_calls: list[ReplyCall] | None = None


class ReplyChoice(Struct):
    """One choice of a whole reply. ``error`` is OpenRouter's, for a provider that failed with the reply begun."""

    message: ReplyMessage | None = None
    finish_reason: str | None = None
    index: int | None = None
    error: Any = None


class ChunkChoice(Struct):
    """One choice's next piece."""

    delta: ReplyMessage | None = None
    finish_reason: str | None = None
    index: int | None = None
    error: Any = None


class PromptDetails(Struct, gc=False):
    """What the prompt's tokens were."""

    cached_tokens: Count = None
    audio_tokens: Count = None


class CompletionDetails(Struct, gc=False):
    """What the reply's tokens were."""

    reasoning_tokens: Count = None
    audio_tokens: Count = None
    accepted_prediction_tokens: Count = None
    rejected_prediction_tokens: Count = None


class ChatUsage(Struct):
    """Tokens read and written."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class ChatReply(Struct):
    """A whole reply. ``error`` is what some gateways send with status 200."""

    choices: list[ReplyChoice] | None = None
    model: str | None = None
    usage: ChatUsage | None = None
    error: Any = None


class ChatChunk(Struct):
    """One event of a streamed reply."""

    choices: list[ChunkChoice] | None = None
    model: str | None = None
    usage: ChatUsage | None = None
    error: Any = None
