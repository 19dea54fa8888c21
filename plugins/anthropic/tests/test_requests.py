"""Request bodies, and that Anthropic's own package takes them for valid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import TypeAdapter

from jackfield import (
    ConversationRequest,
    GenerationSettings,
    InvalidParameters,
    Message,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)

Asked = Callable[..., ConversationRequest]
Written = Callable[..., dict[str, Any]]
SAMPLING = {"temperature", "top_p", "top_k"}
PLACE = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Tool(name="weather", description="Tells it", parameters=PLACE)


@pytest.mark.parametrize(
    ("model", "settings", "sent", "ignored"),
    [
        pytest.param("claude-sonnet-4-6", {"temperature": 0.0}, {"temperature": 0.0}, (), id="a zero"),
        pytest.param("claude-sonnet-4-6", {"top_p": 0.5, "top_k": 9}, {"top_p": 0.5, "top_k": 9}, (), id="older"),
        pytest.param(
            "claude-sonnet-4-6", {"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}, ("top_p",), id="not both"
        ),
        pytest.param(
            "claude-3-haiku-20240307",
            {"temperature": 0.5, "top_p": 0.5},
            {"temperature": 0.5, "top_p": 0.5},
            (),
            id="old",
        ),
        pytest.param(
            "claude-sonnet-5",
            {"temperature": 0.5, "top_p": 0.5, "top_k": 9},
            {},
            ("temperature", "top_p", "top_k"),
            id="newer",
        ),
        pytest.param(
            "claude-sonnet-4-6",
            {"seed": 7, "presence_penalty": 0.0, "frequency_penalty": 1.0, "n": 1},
            {},
            ("seed", "presence_penalty", "frequency_penalty"),
            id="what the API hasn't",
        ),
        pytest.param("claude-sonnet-4-6", {"stop": ("END",)}, {"stop_sequences": ["END"]}, (), id="stop"),
    ],
)
def test_settings(
    asked: Asked,
    written: Written,
    *,
    model: str,
    settings: dict[str, Any],
    sent: dict[str, Any],
    ignored: tuple[str, ...],
) -> None:
    """Settings are sent where the model takes them, and named in the record where it doesn't; none is made up."""
    request = asked(settings=GenerationSettings(**settings))
    body = written(request, model)
    written(request, model)  # A retry builds the body again.
    assert {name: body[name] for name in {*SAMPLING, "stop_sequences"} if name in body} == sent
    assert request.record.ignored == ignored


@pytest.mark.parametrize(
    ("model", "thinking", "wanted", "sent"),
    [
        ("claude-sonnet-4-6", "", None, 2048),
        ("claude-sonnet-5", "", None, 16384),
        ("claude-sonnet-5", "off", None, 2048),
        ("claude-sonnet-4-6", "adaptive", None, 16384),
        ("claude-haiku-4-5", "4000", None, 6048),
        ("claude-haiku-4-5", "4000", 5000, 5000),
        ("some-other-model", "", None, 2048),
        ("claude-sonnet-5", "", 100, 100),
    ],
)
def test_max_tokens(
    asked: Asked, written: Written, *, model: str, thinking: str, wanted: int | None, sent: int
) -> None:
    """The API insists on a limit: the request's, else one that leaves room for thinking."""
    body = written(asked(settings=GenerationSettings(max_tokens=wanted)), model, thinking)
    assert body["max_tokens"] == sent


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("", None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ("any", {"type": "any"}),
        ("weather", {"type": "tool", "name": "weather"}),
    ],
)
def test_tool_choice(asked: Asked, written: Written, choice: str, sent: dict[str, Any] | None) -> None:
    """A tool choice is an object; required and any are one thing, and any other word is a tool's name."""
    assert written(asked(tools=(WEATHER,), tool_choice=choice)).get("tool_choice") == sent


def test_tool_named_any(asked: Asked, written: Written) -> None:
    """A tool may be called any."""
    body = written(asked(tools=(Tool(name="any"),), tool_choice="any"))
    assert body["tool_choice"] == {"type": "tool", "name": "any"}


def test_no_choice_without_tools(asked: Asked, written: Written) -> None:
    """Without tools there is nothing to choose."""
    assert not {"tools", "tool_choice"} & set(written(asked(tool_choice="auto")))


@pytest.mark.parametrize(
    ("parameters", "schema"),
    [
        (None, {"type": "object", "properties": {}}),
        ({"properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"a": {"type": "string"}}}),
        (PLACE, PLACE),
    ],
)
def test_tool_schema(asked: Asked, written: Written, parameters: dict[str, Any] | None, schema: dict[str, Any]) -> None:
    """A schema without a type gets the one that the API insists on; the caller's own is left as it is."""
    before = None if parameters is None else dict(parameters)
    [tool] = written(asked(tools=(Tool(name="look", parameters=parameters),)))["tools"]
    assert tool == {"name": "look", "input_schema": schema}
    assert parameters == before


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [
        (None, None),
        (0.0, None),
        (60.0, {"type": "ephemeral", "ttl": "5m"}),
        (300.0, {"type": "ephemeral", "ttl": "5m"}),
        (301.0, {"type": "ephemeral", "ttl": "1h"}),
        (86400.0, {"type": "ephemeral", "ttl": "1h"}),
    ],
)
def test_prompt_cache(asked: Asked, written: Written, seconds: float | None, sent: dict[str, str] | None) -> None:
    """A prompt is kept for five minutes or an hour, whichever covers what is asked, and an hour at most."""
    assert written(asked(prompt_cache_retention=seconds)).get("cache_control") == sent


def test_metadata(asked: Asked, written: Written) -> None:
    """The API knows a user's id and nothing else."""
    assert written(asked(metadata={"user_id": "u-1", "team": "search"}))["metadata"] == {"user_id": "u-1"}
    assert "metadata" not in written(asked(metadata={"team": "search"}))


@pytest.mark.parametrize(
    ("members", "model", "thinking", "text"),
    [
        pytest.param({"settings": GenerationSettings(n=2)}, "claude-sonnet-5", "", "writes one choice", id="n"),
        pytest.param({"messages": ()}, "claude-sonnet-5", "", "needs a message of role user", id="no message"),
        pytest.param(
            {"messages": (Message(role="user", parts=(TextPart(" \n"),)),)},
            "claude-sonnet-5",
            "",
            "with some text",
            id="blank",
        ),
        pytest.param(
            {"tools": (WEATHER,), "tool_choice": "required"},
            "claude-sonnet-5-5",
            "",
            "which claude-sonnet-5-5 refuses; use tool_choice auto, or a model that can be forced",
            id="not to be forced",
        ),
        pytest.param(
            {"tools": (WEATHER,), "tool_choice": "weather"},
            "claude-haiku-4-5",
            "2000",
            "tool_choice needs a forced tool call here, which excludes a budget for thinking .llm's thinking is 2000.",
            id="forced within a budget",
        ),
        pytest.param(
            {"response_format": ResponseFormat(schema=None)},
            "claude-opus-5-5",
            "",
            "a response format needs a forced tool call here, which claude-opus-5-5 refuses; give it a schema",
            id="any JSON",
        ),
        pytest.param(
            {"response_format": ResponseFormat(schema={"type": "array", "items": {"type": "string"}})},
            "some-other-model",
            "",
            "must be of type object for this model",
            id="a list from a tool",
        ),
        pytest.param(
            {"settings": GenerationSettings(max_tokens=2000)},
            "claude-haiku-4-5",
            "2000",
            r"max tokens .2000. must be more than the manifest's thinking .2000 tokens.",
            id="budget above the limit",
        ),
        pytest.param({}, "claude-opus-5-5", "off", "claude-opus-5-5 always thinks", id="a request's model"),
    ],
)
def test_refused(
    asked: Asked, written: Written, *, members: dict[str, Any], model: str, thinking: str, text: str
) -> None:
    """What can't be done is said before anything is sent, with the way out."""
    with pytest.raises(InvalidParameters, match=text):
        written(asked(**members), model, thinking)


@pytest.mark.parametrize("model", ["claude-sonnet-5", "claude-sonnet-4-6", "claude-3-haiku-20240307", "another"])
@pytest.mark.parametrize("stream", [False, True])
def test_official_types(asked: Asked, written: Written, model: str, stream: bool) -> None:
    """A request with everything in it is valid by the official package's types.

    Those are of the API's next version, which takes no sampling from any model; only older models are sent it.
    """
    call = ToolCall("toolu_1", "weather", '{"city": "Bremen"}')
    request = asked(
        messages=(
            Message(role="system", parts=(TextPart("Be brief."),)),
            Message(role="developer", parts=(TextPart("Be kind."),)),
            Message(role="user", parts=(TextPart("a"), TextPart("b"))),
            Message(role="assistant", parts=(TextPart("I look."),), tool_calls=(call,)),
            Message(role="tool", parts=(TextPart("12 degrees"),), tool_call_id="toolu_1"),
            Message(role="user", parts=(TextPart("And now?"),)),
        ),
        tools=(WEATHER, Tool(name="now")),
        tool_choice="auto",
        response_format=ResponseFormat(schema=PLACE, name="place"),
        settings=GenerationSettings(temperature=0.5, top_k=3, stop=("END",), max_tokens=99),
        metadata={"user_id": "u-1"},
        prompt_cache_retention=3600.0,
    )
    sent = written(request, model, stream=stream)
    rest = {name: value for name, value in sent.items() if name not in SAMPLING}
    params: Any = MessageCreateParamsStreaming if stream else MessageCreateParamsNonStreaming
    assert set(rest) <= set(params.__required_keys__ | params.__optional_keys__)
    TypeAdapter(params).validate_python(rest)
