"""What is sent to Converse, checked against botocore's model of the service."""

# botocore comes without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from jackfield import (
    ConversationRequest,
    GenerationSettings,
    InvalidParameters,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield_bedrock.requests import build_call

Asked = Callable[..., ConversationRequest]

CLAUDE = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "global.amazon.nova-2-lite-v1:0"
WEATHER = Tool(name="weather", description="Tells the weather.", parameters={"type": "object", "properties": {}})
CLOCK = Tool(name="clock")
HISTORY = (
    Message(role="user", parts=(TextPart("weather?"),)),
    Message(role="assistant", tool_calls=(ToolCall("a", "weather", '{"city":"Bremen"}'),)),
    Message(role="tool", parts=(TextPart("rain"),), tool_call_id="a"),
)


def user(text: str) -> Message:
    return Message(role="user", parts=(TextPart(text),))


def sent(request: ConversationRequest, model: str = CLAUDE, additional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build a call's parameters, and have botocore's model of the service check them."""
    parameters = build_call(request, model=model, additional=additional or {}).parameters
    shape = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).operation_model("Converse")
    report = ParamValidator().validate(parameters, shape.input_shape)
    assert not report.has_errors(), report.generate_report()
    return parameters


def test_least(asked: Asked) -> None:
    """What nobody sets isn't sent."""
    assert sent(asked("hello")) == {
        "modelId": CLAUDE,
        "messages": [{"role": "user", "content": [{"text": "hello"}]}],
    }


def test_roles(asked: Asked) -> None:
    """System and developer messages stand apart; messages of one role in a row become one turn."""
    messages = (
        Message(role="system", parts=(TextPart("be brief"),)),
        user("one"),
        Message(role="developer", parts=(TextPart("be kind"),)),
        Message(role="user", parts=(TextPart("two"), TextPart(" "), TextPart("three"))),
        Message(role="assistant", parts=(TextPart("four"),)),
        user("five"),
    )
    parameters = sent(asked(messages=messages))
    assert parameters["system"] == [{"text": "be brief"}, {"text": "be kind"}]
    assert parameters["messages"] == [
        {"role": "user", "content": [{"text": "one"}, {"text": "two"}, {"text": "three"}]},
        {"role": "assistant", "content": [{"text": "four"}]},
        {"role": "user", "content": [{"text": "five"}]},
    ]


def test_instructions_alone(asked: Asked) -> None:
    """A conversation of instructions alone is put by the user, as Converse takes none without a user."""
    parameters = sent(asked(messages=(Message(role="system", parts=(TextPart("sing"),)),)))
    assert parameters["messages"] == [{"role": "user", "content": [{"text": "sing"}]}]
    assert "system" not in parameters


def test_assistant_first(asked: Asked) -> None:
    """A conversation that the assistant begins gets a user's turn before it, as Converse takes no other."""
    messages = (Message(role="assistant", parts=(TextPart("welcome"),)), user("hello"))
    roles = [turn["role"] for turn in sent(asked(messages=messages))["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_nothing_to_say(asked: Asked) -> None:
    """Messages without any text are refused with the reason."""
    with pytest.raises(InvalidParameters, match="hold no text"):
        sent(asked(" \n"))


def test_tool_turns(asked: Asked) -> None:
    """Calls stand beside text, and all their results in one turn of the user's, each with its call's id."""
    messages = (
        user("weather?"),
        Message(
            role="assistant",
            parts=(TextPart("I'll look."),),
            tool_calls=(ToolCall("a", "weather", '{"city":"Bremen"}'), ToolCall("b", "clock", "")),
        ),
        Message(role="tool", parts=(TextPart("rain"),), tool_call_id="a", name="weather"),
        Message(role="tool", parts=(TextPart(""),), tool_call_id="b", name="clock"),
        user("and now?"),
    )
    turns = sent(asked(messages=messages, tools=(WEATHER, CLOCK)))["messages"]
    assert turns[1]["content"] == [
        {"text": "I'll look."},
        {"toolUse": {"toolUseId": "a", "name": "weather", "input": {"city": "Bremen"}}},
        {"toolUse": {"toolUseId": "b", "name": "clock", "input": {}}},
    ]
    assert turns[2]["role"] == "user"
    assert turns[2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "rain"}]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": "(empty)"}]}},
        {"text": "and now?"},
    ]


@pytest.mark.parametrize("call_id", ["call|ü", "x" * 65, "a b"], ids=["characters", "length", "blank"])
def test_foreign_ids(asked: Asked, call_id: str) -> None:
    """An id that another provider made and Converse would refuse is replaced, alike in call and result."""
    messages = (
        user("weather?"),
        Message(role="assistant", tool_calls=(ToolCall(call_id, "weather", "{}"),)),
        Message(role="tool", parts=(TextPart("rain"),), tool_call_id=call_id),
    )
    turns = sent(asked(messages=messages, tools=(WEATHER,)))["messages"]
    own = turns[1]["content"][0]["toolUse"]["toolUseId"]
    assert own != call_id
    assert len(own) <= 64
    assert own.replace("_", "").isalnum()
    assert turns[2]["content"][0]["toolResult"]["toolUseId"] == own


def test_missing_ids(asked: Asked) -> None:
    """Calls and results without ids belong together by their order."""
    messages = (
        user("weather?"),
        Message(role="assistant", tool_calls=(ToolCall("", "weather", "{}"), ToolCall("", "clock", "{}"))),
        Message(role="tool", parts=(TextPart("rain"),)),
        Message(role="tool", parts=(TextPart("noon"),)),
    )
    turns = sent(asked(messages=messages, tools=(WEATHER, CLOCK)))["messages"]
    called = [block["toolUse"]["toolUseId"] for block in turns[1]["content"]]
    assert [block["toolResult"]["toolUseId"] for block in turns[2]["content"]] == called
    assert len(set(called)) == 2


@pytest.mark.parametrize("arguments", ["{", "[1]", '"text"', "[" * 100_000])
def test_arguments_that_are_no_object(asked: Asked, arguments: str) -> None:
    """A call whose arguments Converse can't take is refused by its id."""
    messages = (user("x"), Message(role="assistant", tool_calls=(ToolCall("c1", "weather", arguments),)))
    with pytest.raises(InvalidParameters, match="'c1' are no JSON object"):
        sent(asked(messages=messages, tools=(WEATHER,)))


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("", None),
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ("any", {"any": {}}),
        ("weather", {"tool": {"name": "weather"}}),
    ],
)
def test_tool_choice(asked: Asked, choice: str, written: dict[str, Any] | None) -> None:
    """Each choice is written as Converse has it."""
    config = sent(asked(tools=(WEATHER, CLOCK), tool_choice=choice))["toolConfig"]
    assert config.get("toolChoice") == written
    assert config["tools"] == [
        {
            "toolSpec": {
                "name": "weather",
                "description": "Tells the weather.",
                "inputSchema": {"json": {"type": "object", "properties": {}}},
            }
        },
        {"toolSpec": {"name": "clock", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
    ]


def test_tool_choice_none(asked: Asked) -> None:
    """The choice of no tool leaves the tools out, as Converse has no word for it."""
    request = asked(tools=(WEATHER,), tool_choice="none")
    assert "toolConfig" not in sent(request)
    assert request.record.ignored == ()


def test_tool_choice_none_after_calls(asked: Asked) -> None:
    """After calls Converse must be told of their tools, so the choice of none is named as left out."""
    request = asked(messages=HISTORY, tools=(WEATHER, CLOCK), tool_choice="none")
    config = sent(request)["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["weather"]
    assert "toolChoice" not in config
    assert request.record.ignored == ("tool_choice",)


def test_calls_without_tools(asked: Asked) -> None:
    """A conversation in which tools were called can go on without them."""
    config = sent(asked(messages=HISTORY))["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["weather"]


def test_unknown_tool_chosen(asked: Asked) -> None:
    """A choice that names no tool is refused."""
    with pytest.raises(InvalidParameters, match="tool_choice names 'radio'"):
        sent(asked(tools=(WEATHER,), tool_choice="radio"))


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("tools", "choice", "names", "written"),
    [
        ((), "", ["city_name"], {"tool": {"name": "city_name"}}),
        ((WEATHER,), "", ["weather", "city_name"], {"any": {}}),
        ((WEATHER,), "auto", ["weather", "city_name"], {"any": {}}),
        ((WEATHER,), "none", ["city_name"], {"tool": {"name": "city_name"}}),
        ((WEATHER,), "required", ["weather"], {"any": {}}),
        ((WEATHER,), "weather", ["weather"], {"tool": {"name": "weather"}}),
        ((Tool(name="city_name"),), "none", ["city_name_"], {"tool": {"name": "city_name_"}}),
    ],
)
def test_structure(
    asked: Asked, tools: tuple[Tool, ...], choice: str, names: list[str], written: dict[str, Any]
) -> None:
    """A structured reply is asked for as a tool that must be called, beside tools that may be called first."""
    wanted = ResponseFormat(schema=SCHEMA, name="city name")
    config = sent(asked(response_format=wanted, tools=tools, tool_choice=choice))["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == names
    assert config["toolChoice"] == written


def test_structure_of_any_object(asked: Asked) -> None:
    """JSON without a schema is any object."""
    config = sent(asked(response_format=ResponseFormat(schema=None)))["toolConfig"]
    assert config["tools"][0]["toolSpec"]["inputSchema"] == {"json": {"type": "object"}}


def test_structure_of_no_object(asked: Asked) -> None:
    """A schema that no tool can have is refused, by its field."""
    with pytest.raises(InvalidParameters, match="response_format: the schema's type must be object"):
        sent(asked(response_format=ResponseFormat(schema={"type": "array", "items": {"type": "string"}})))


def test_settings(asked: Asked) -> None:
    """Converse's own parameters stand in their place, an explicit zero too."""
    settings = GenerationSettings(temperature=0, max_tokens=7, top_p=0.5, stop=("END",), n=1)
    assert sent(asked(settings=settings))["inferenceConfig"] == {
        "temperature": 0,
        "maxTokens": 7,
        "topP": 0.5,
        "stopSequences": ["END"],
    }


@pytest.mark.parametrize(
    ("model", "fields", "ignored"),
    [
        (CLAUDE, {"top_k": 5}, ("seed", "presence_penalty")),
        (NOVA, {"inferenceConfig": {"topK": 5}}, ("seed", "presence_penalty")),
        ("cohere.command-r-plus-v1:0", {"k": 5, "seed": 3, "presence_penalty": 0.5}, ()),
        ("meta.llama3-3-70b-instruct-v1:0", None, ("top_k", "seed", "presence_penalty")),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc",
            None,
            ("top_k", "seed", "presence_penalty"),
        ),
        (f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/{NOVA}", {"inferenceConfig": {"topK": 5}}, None),
    ],
)
def test_settings_of_families(
    asked: Asked, model: str, fields: dict[str, Any] | None, ignored: tuple[str, ...] | None
) -> None:
    """Settings that only some models know go where these read them; others are named as left out."""
    request = asked(settings=GenerationSettings(top_k=5, seed=3, presence_penalty=0.5))
    assert sent(request, model).get("additionalModelRequestFields") == fields
    assert ignored is None or request.record.ignored == ignored


def test_additional_fields(asked: Asked) -> None:
    """The manifest's own fields are added to the settings', and win."""
    request = asked(settings=GenerationSettings(top_k=5))
    additional: dict[str, Any] = {"inferenceConfig": {"topK": 9}, "reasoningConfig": {"type": "enabled"}}
    assert sent(request, NOVA, additional)["additionalModelRequestFields"] == additional
    sent(request, NOVA, additional)["additionalModelRequestFields"]["inferenceConfig"]["topK"] = 0
    assert additional["inferenceConfig"]["topK"] == 9


def test_several_choices(asked: Asked) -> None:
    """More than one choice is refused, by the setting's name."""
    with pytest.raises(InvalidParameters, match="n is 2"):
        sent(asked(settings=GenerationSettings(n=2)))


def test_metadata(asked: Asked) -> None:
    """The caller's metadata goes into AWS's log, but for what AWS would refuse the request for."""
    metadata = {"team": "search", "openai:x": "1", "thinking_config": "{}", "bad": "ü"}
    request = asked(metadata=metadata)
    assert sent(request)["requestMetadata"] == {"team": "search"}
    assert request.record.ignored == ("metadata",)
    many = asked(metadata={f"k{number}": "v" for number in range(20)})
    assert len(sent(many)["requestMetadata"]) == 16
    assert "requestMetadata" not in sent(asked(metadata={"openai:x": "1"}))


@pytest.mark.parametrize(
    ("model", "seconds", "point", "places"),
    [
        (CLAUDE, 3600.0, {"type": "default", "ttl": "1h"}, {"tools", "system", "messages"}),
        (CLAUDE, 60.0, {"type": "default"}, {"tools", "system", "messages"}),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", 3600.0, {"type": "default"}, {"tools", "system", "messages"}),
        ("anthropic.claude-sonnet-4-20250514-v1:0", 3600.0, {"type": "default"}, {"tools", "system", "messages"}),
        (NOVA, 3600.0, {"type": "default"}, {"system", "messages"}),
        ("meta.llama3-3-70b-instruct-v1:0", 3600.0, None, set()),
        ("anthropic.claude-3-haiku-20240307-v1:0", 3600.0, None, set()),
        (CLAUDE, 0.0, None, set()),
    ],
)
def test_prompt_cache(asked: Asked, model: str, seconds: float, point: dict[str, Any] | None, places: set[str]) -> None:
    """Prompts are marked for the provider's cache where the model has one, for as long as it can."""
    messages = (Message(role="system", parts=(TextPart("be brief"),)), user("hello"))
    request = asked(messages=messages, tools=(WEATHER,), prompt_cache_retention=seconds)
    parameters = sent(request, model)
    ends = {
        "tools": parameters["toolConfig"]["tools"][-1],
        "system": parameters["system"][-1],
        "messages": parameters["messages"][-1]["content"][-1],
    }
    assert {name for name, end in ends.items() if end == {"cachePoint": point}} == places
    assert request.record.ignored == (("prompt_cache_retention",) if point is None and seconds else ())


def test_reasoning_returns(asked: Asked) -> None:
    """Signed thinking goes back before the calls it led to; thinking that nobody signed stays out."""
    parts = (ReasoningPart("hm", "sig"), ReasoningPart("unsigned"), TextPart("I'll look."))
    messages = (
        user("weather?"),
        Message(role="assistant", parts=parts, tool_calls=(ToolCall("a", "weather", "{}"),)),
        Message(role="tool", parts=(TextPart("rain"),), tool_call_id="a"),
    )
    content = sent(asked(messages=messages, tools=(WEATHER,)))["messages"][1]["content"]
    assert content[:2] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"text": "I'll look."},
    ]
    assert "toolUse" in content[2]
    assert len(content) == 3
