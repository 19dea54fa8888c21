"""What a caller asks: messages, tools and settings, as every front end hands them to the chain.

Front ends decode their own wire format into a ``ConversationRequest``; providers read nothing else. All types are
frozen, so that a stage changes a request only by making a new one (``msgspec.structs.replace``).
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from jackfield.headers import NO_HEADERS, Headers

__all__ = [
    "ConversationRequest",
    "GenerationSettings",
    "Message",
    "Part",
    "ReasoningPart",
    "Record",
    "ResponseFormat",
    "Role",
    "TextPart",
    "Tool",
    "ToolCall",
]

Role: TypeAlias = Literal["developer", "system", "user", "assistant", "tool"]
"""Who speaks in a message."""


class TextPart(Struct, frozen=True, tag="text", gc=False):
    """Text that a person or a model wrote; its ``repr`` doesn't show it, as that ends up in logs."""

    text: str

    def __repr__(self) -> str:
        return f"TextPart({len(self.text)} characters)"


class ReasoningPart(Struct, frozen=True, tag="reasoning", gc=False):
    """A model's thinking, kept apart from its answer.

    Attributes:
        text: the thinking itself; may be empty where the provider hides it.
        signature: opaque data that the provider wants back in a later turn.
    """

    text: str
    signature: str = ""

    def __repr__(self) -> str:
        return f"ReasoningPart({len(self.text)} characters)"


Part: TypeAlias = TextPart | ReasoningPart
"""A piece of a message's content. The union grows; code that reads it passes on or refuses what it doesn't know."""


class ToolCall(Struct, frozen=True, gc=False):
    """A model's wish to have a function called.

    Attributes:
        id: the provider's name for this call; empty if it gives none.
        name: the function's name.
        arguments: JSON text, exactly as the model wrote it: it may be invalid.
        opaque: signed or encrypted data that the provider wants back with this call in a later turn.
    """

    id: str
    name: str
    arguments: str
    opaque: str = ""

    def __repr__(self) -> str:
        return f"ToolCall({self.id!r}, {self.name!r}, {len(self.arguments)} characters)"


class Message(Struct, frozen=True, kw_only=True):
    """One turn of the conversation.

    Attributes:
        role: who speaks.
        parts: the content, in order.
        name: the speaker's name, or for ``tool`` messages the function's name; empty if not given.
        tool_calls: the calls an assistant asked for.
        tool_call_id: for ``tool`` messages, the call this is the result of.
        input: the position of the request's input that this message came from, counted from 0.
        scrub: the caller or the manifest wants this message scrubbed before anything else sees it.
        scrubbed: the digests of the scrubbers that have treated it.
    """

    role: Role
    parts: tuple[Part, ...] = ()
    name: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    input: int = 0
    scrub: bool = False
    scrubbed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text parts, joined with newlines."""
        parts = self.parts
        if len(parts) == 1 and type(parts[0]) is TextPart:
            return parts[0].text
        return "\n".join(part.text for part in parts if isinstance(part, TextPart))


class Tool(Struct, frozen=True, kw_only=True):
    """A function the model may call.

    Attributes:
        name: the function's name.
        description: what it is for.
        parameters: a JSON Schema object; None if the caller gave none.
        strict: whether the provider should hold the arguments to the schema, where it can.
    """

    name: str
    description: str = ""
    parameters: dict[str, Any] | None = None
    strict: bool = False


class ResponseFormat(Struct, frozen=True, kw_only=True):
    """The structure that the reply's text must have.

    Attributes:
        schema: a JSON Schema; None asks for any JSON object.
        name: the schema's name, as some providers want one.
        description: what the schema is for.
        strict: whether the provider should refuse schemas it can't enforce fully.
    """

    schema: dict[str, Any] | None
    name: str = "response"
    description: str = ""
    strict: bool = False


class GenerationSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the model should write. ``None`` means not set, and is not sent to the provider; an explicit 0 is.

    Attributes:
        temperature: randomness, 0 and up.
        max_tokens: the longest reply, in tokens.
        top_p: nucleus sampling, 0 to 1.
        top_k: sample from the k likeliest tokens.
        stop: texts at which the reply ends.
        seed: makes sampling repeatable where the provider can.
        presence_penalty: -2 to 2.
        frequency_penalty: -2 to 2.
        n: how many choices to write.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    n: int | None = None


class Record(Struct, kw_only=True, eq=False):
    """The facts of one request, filled in on its way. Mutable, and never part of a cache key.

    It holds no message text and no secret: observers and logs may print all of it.

    Attributes:
        request_id: ``x-request-id``, taken from the caller or made by the front end.
        api: the front end's name, such as ``alpha2``.
        component: the component that was asked.
        served_by: the component whose provider answered; the same unless a router chose.
        model: the model that answered, where the provider says.
        status: the HTTP status of the reply; 499 if the caller left first.
        error_code: the reply's error code; empty on success.
        cache: ``hit``, ``miss``, ``coalesced`` or ``bypass``; empty where no cache is on.
        cache_age: for a hit, the seconds since the reply was kept.
        cache_key: the digest under which the cache looked; empty if it didn't.
        cache_note: why the cache was passed by, or what it did, in a few words.
        entities: how many pieces of text were masked, by entity.
        attempts: how often the provider was called.
        prompt_tokens: tokens the provider read, None if it doesn't say.
        completion_tokens: tokens the provider wrote, None if it doesn't say.
        ignored: names of overrides that the manifest doesn't allow.
        started: when the request was decoded, in seconds of ``time.perf_counter``.
        provider_seconds: the time spent waiting for the provider.
        first_event_seconds: from ``started`` to the first event.
        total_seconds: from ``started`` to the end of the reply.
    """

    request_id: str = ""
    api: str = ""
    component: str = ""
    served_by: str = ""
    model: str = ""
    status: int = 0
    error_code: str = ""
    cache: str = ""
    cache_age: float | None = None
    cache_key: str = ""
    cache_note: str = ""
    entities: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    ignored: tuple[str, ...] = ()
    started: float = field(default_factory=perf_counter)
    provider_seconds: float = 0.0
    first_event_seconds: float = 0.0
    total_seconds: float = 0.0


class ConversationRequest(Struct, frozen=True, kw_only=True):
    """One call of a component, complete: what a stage or a provider needs is in here.

    Attributes:
        component: the component's name.
        messages: the whole conversation, oldest first.
        tools: functions the model may call.
        tool_choice: ``auto``, ``none``, ``required`` or the name of one tool; empty when there are no tools.
        response_format: the structure the reply must have.
        settings: generation settings, the request's over the manifest's.
        model: the model the request names, where the manifest allows that; None for the component's own.
        metadata: what the caller wants passed on to the provider.
        extra: members of OpenAI's request that have no field here, as JSON; for types that declare ``takes_extra``.
        context_id: the caller's name for the conversation.
        prompt_cache_retention: how long the provider should keep its prompt cache, in seconds.
        cache_ttl: how long the host may keep the reply, in seconds; 0 means not at all, None leaves it to the manifest.
        default_cache_ttl: what a router has instead of a target's own, for targets that have none.
        scrub_reply: the caller or the manifest wants the reply scrubbed.
        reply_scrubber: the digest of the scrubber that is going to do so.
        reply_scrubbed: a scrub-out stage waits for the reply.
        answer_each_input: a provider that declares ``answers_each_input`` gives one choice per input.
        stream: the caller wants ``Delta`` events rather than one ``Result``.
        headers: the caller's headers.
        record: the facts of this request.
    """

    component: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = ""
    response_format: ResponseFormat | None = None
    settings: GenerationSettings = GenerationSettings()
    model: str | None = None
    metadata: dict[str, str] = {}
    extra: dict[str, Any] = {}
    context_id: str = ""
    prompt_cache_retention: float | None = None
    cache_ttl: float | None = None
    default_cache_ttl: float | None = None
    scrub_reply: bool = False
    reply_scrubber: str = ""
    reply_scrubbed: bool = False
    answer_each_input: bool = False
    stream: bool = False
    headers: Headers = NO_HEADERS
    record: Record = field(default_factory=Record)
