"""What a chat completions body comes to."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import (
    ConversationRequest,
    GenerationSettings,
    Message,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield.frontends import carried_id

Decode = Any
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": SCHEMA}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def said(text: str, role: Role = "user", **members: Any) -> Message:
    """A message of one text."""
    return Message(role=role, parts=(TextPart(text),), **members)


def test_the_least_there_is(decode: Decode) -> None:
    """A model and a message are enough; everything else is not set."""
    request = decode()

    assert request == ConversationRequest(
        component="llm", messages=(said("hi"),), headers=request.headers, record=request.record
    )


@pytest.mark.parametrize("role", ["developer", "system", "user", "assistant"])
@pytest.mark.parametrize("content", ["hi", [{"type": "text", "text": "hi"}]])
def test_messages_of_every_role(decode: Decode, role: Role, content: object) -> None:
    """Content is a string or an array of parts, for each who speaks."""
    request = decode(messages=[{"role": role, "content": content, "name": "ann"}])

    assert request.messages == (said("hi", role, name="ann"),)


def test_parts_stay_apart(decode: Decode) -> None:
    """Each text part is one of the message's, a model's refusal included."""
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]

    (message,) = decode(messages=[{"role": "assistant", "content": parts}]).messages
    assert message.parts == (TextPart("a"), TextPart("no"))


def test_a_reply_of_the_official_client_can_be_sent_back(decode: Decode) -> None:
    """Members that only replies have are no error, nulls neither: clients send back the whole message."""
    reply: dict[str, Any] = {
        "role": "assistant",
        "content": "hello",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": None,
        "reasoning_content": "hm",
    }
    assert decode(messages=[{"role": "user", "content": "hi"}, reply]).messages[1] == said(
        "hello", "assistant", input=1
    )


def test_tools_in_all_their_turns(decode: Decode) -> None:
    """Calls and results find each other by id, and a result learns its function's name from the call."""
    other = {"id": "c2", "type": "function", "function": {"name": "smell", "arguments": '{"a": 1}'}}
    request = decode(
        messages=[
            {"role": "user", "content": "look"},
            {"role": "assistant", "content": None, "tool_calls": [CALL, other]},
            {"role": "tool", "tool_call_id": "c2", "content": "roses"},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "red"}]},
        ],
        tools=[LOOK, {"type": "function", "function": {"name": "smell", "strict": True}}],
    )

    assert request.messages[1] == Message(
        role="assistant", tool_calls=(ToolCall("c1", "look", "{}"), ToolCall("c2", "smell", '{"a": 1}')), input=1
    )
    assert request.messages[2] == said("roses", "tool", name="smell", tool_call_id="c2", input=2)
    assert request.messages[3] == said("red", "tool", name="look", tool_call_id="c1", input=3)
    assert request.tools == (
        Tool(name="look", description="Looks.", parameters=SCHEMA),
        Tool(name="smell", strict=True),
    )
    assert request.tool_choice == "auto"


def test_opaque_data_returns_with_a_call(decode: Decode) -> None:
    """What a provider wants back is taken off the id, of the call and of its result."""
    joined = carried_id(ToolCall("c1", "look", "", "sig"))
    assert joined != "c1"
    request = decode(
        messages=[
            {"role": "assistant", "tool_calls": [{**CALL, "id": joined}]},
            {"role": "tool", "tool_call_id": joined, "content": "red"},
        ]
    )

    assert request.messages[0].tool_calls == (ToolCall("c1", "look", "{}", "sig"),)
    assert request.messages[1].tool_call_id == "c1"


@pytest.mark.parametrize(
    ("sent", "choice"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "look"}}, "look"),
    ],
)
def test_tool_choice(decode: Decode, sent: object, choice: str) -> None:
    """A word, or an object that names a function."""
    assert decode(tools=[LOOK], tool_choice=sent).tool_choice == choice


@pytest.mark.parametrize("sent", [None, "auto", "none"])
def test_tool_choice_without_tools(decode: Decode, sent: object) -> None:
    """There is nothing to choose, so that saying nothing of it is no error."""
    assert decode(tool_choice=sent).tool_choice == ""


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, ResponseFormat(schema=None)),
        (
            {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}},
            ResponseFormat(schema=SCHEMA, name="place", strict=True),
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": SCHEMA, "description": "A place."}},
            ResponseFormat(schema=SCHEMA, description="A place."),
        ),
    ],
)
def test_response_format(decode: Decode, sent: object, wanted: ResponseFormat | None) -> None:
    """All three types; the schema goes on as it is."""
    assert decode(response_format=sent).response_format == wanted


@pytest.mark.parametrize(
    ("members", "settings"),
    [
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"top_p": 0.5, "top_k": 3, "seed": -1, "n": 2}, {"top_p": 0.5, "top_k": 3, "seed": -1, "n": 2}),
        ({"presence_penalty": -2, "frequency_penalty": 1.5}, {"presence_penalty": -2.0, "frequency_penalty": 1.5}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"stop": "."}, {"stop": (".",)}),
        ({"stop": "[]"}, {"stop": ("[]",)}),
        ({"stop": [".", "!"]}, {"stop": (".", "!")}),
        ({"temperature": None, "stop": None, "max_tokens": None}, {}),
    ],
)
def test_settings(decode: Decode, members: dict[str, Any], settings: dict[str, Any]) -> None:
    """Each has its place; null is not set, and 0 is."""
    assert decode(**members).settings == GenerationSettings(**settings)


def test_settings_that_a_manifest_keeps_to_itself(decode: Decode) -> None:
    """They have no effect, and the record names them."""
    request = decode(frozenset({"seed"}), temperature=1, seed=2)

    assert request.settings == GenerationSettings(seed=2)
    assert request.record.ignored == ("temperature",)


@pytest.mark.parametrize(
    ("model", "component", "chosen"),
    [
        ("llm", "llm", None),
        ("llm/gpt-5", "llm", "gpt-5"),
        ("llm/meta/llama-4", "llm", "meta/llama-4"),
        ("team/llm", "team/llm", None),
        ("team/other", "team", "other"),
    ],
)
def test_model(decode: Decode, model: str, component: str, chosen: str | None) -> None:
    """A component's name; or what stands before the first slash, and the provider's model, where that is allowed."""
    request = decode(frozenset({"model"}), model=model)

    assert (request.component, request.model) == (component, chosen)


@pytest.mark.parametrize("name", ["scrub_pii", "scrubPII", "scrubPii", "SCRUB_PII"])
def test_scrubbing_is_both_ways(decode: Decode, name: str) -> None:
    """One flag marks every message and the reply, however it is spelt."""
    request = decode(messages=[{"role": "system", "content": "a"}, {"role": "user", "content": "b"}], **{name: True})

    assert [message.scrub for message in request.messages] == [True, True]
    assert request.scrub_reply
    assert request.extra == {}
    assert not decode(**{name: False}).scrub_reply


def test_a_flag_at_a_message_counts_for_it(decode: Decode) -> None:
    """A caller who marks one message has that one scrubbed."""
    request = decode(messages=[{"role": "system", "content": "a"}, {"role": "user", "content": "b", "scrub_pii": True}])

    assert [message.scrub for message in request.messages] == [False, True]
    assert not request.scrub_reply


@pytest.mark.parametrize("name", ["cache_ttl", "cacheTTL"])
@pytest.mark.parametrize(("ttl", "seconds"), [("10m", 600.0), ("0s", 0.0), (None, None)])
def test_cache_ttl(decode: Decode, name: str, ttl: str | None, seconds: float | None) -> None:
    """A duration as in Dapr's API."""
    assert decode(**{name: ttl}).cache_ttl == seconds


def test_metadata_and_retention(decode: Decode) -> None:
    """Metadata is passed on as it is, and never taken for settings."""
    request = decode(metadata={"temperature": "0.1", "a": "b"}, prompt_cache_retention="24h")

    assert request.metadata == {"temperature": "0.1", "a": "b"}
    assert request.settings == GenerationSettings()
    assert request.prompt_cache_retention == 86400.0


def test_what_nobody_models_is_kept(decode: Decode) -> None:
    """Members without a field of their own stay as they came, but for null and what is the API's default anyway."""
    kept = {"reasoning_effort": "low", "logit_bias": {"1": -100}, "parallel_tool_calls": False, "user": "u"}

    assert decode(**kept).extra == kept
    nothing = {
        "verbosity": None,
        "logprobs": False,
        "parallel_tool_calls": True,
        "modalities": ["text"],
        "store": False,
    }
    assert decode(**nothing).extra == {}


@pytest.mark.parametrize(("sent", "stream"), [(None, False), (False, False), (True, True)])
def test_stream(decode: Decode, sent: bool | None, stream: bool) -> None:
    """The body says whether to stream."""
    assert decode(stream=sent, stream_options={"include_usage": True}).stream is stream
