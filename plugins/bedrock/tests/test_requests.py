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


def test_missing_ids_of_several_turns(asked: Asked) -> None:
    """An id that is made up is made up once, as Claude refuses a conversation in which one comes twice."""
    turn = (
        Message(role="assistant", tool_calls=(ToolCall("", "weather", "{}"),)),
        Message(role="tool", parts=(TextPart("rain"),)),
    )
    turns = sent(asked(messages=(user("weather?"), *turn, *turn), tools=(WEATHER,)))["messages"]
    called = [block["toolUse"]["toolUseId"] for turn in turns for block in turn["content"] if "toolUse" in block]
    answered = [
        block["toolResult"]["toolUseId"] for turn in turns for block in turn["content"] if "toolResult" in block
    ]
    assert answered == called
    assert len(set(called)) == 2


def test_results_come_first(asked: Asked) -> None:
    """Results stand before other text of their turn, in their order, as Claude insists."""
    messages = (
        user("weather?"),
        Message(role="assistant", tool_calls=(ToolCall("a", "weather", "{}"), ToolCall("b", "weather", "{}"))),
        user("Hurry."),
        Message(role="tool", parts=(TextPart("rain"),), tool_call_id="a"),
        Message(role="tool", parts=(TextPart("sun"),), tool_call_id="b"),
    )
    content = sent(asked(messages=messages, tools=(WEATHER,)))["messages"][2]["content"]
    assert [block.get("toolResult", {}).get("toolUseId") for block in content] == ["a", "b", None]


@pytest.mark.parametrize("arguments", ["{", "[1]", '"text"', "[" * 100_000])
def test_arguments_that_are_no_object(asked: Asked, arguments: str) -> None:
    """A call whose arguments Converse can't take is refused by its id."""
    messages = (user("x"), Message(role="assistant", tool_calls=(ToolCall("c1", "weather", arguments),)))
    with pytest.raises(InvalidParameters, match="'c1' are no JSON object"):
        sent(asked(messages=messages, tools=(WEATHER,)))


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
