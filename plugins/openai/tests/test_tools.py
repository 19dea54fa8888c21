"""What servers that differ are told of tools, choices and structures, and what is refused before they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

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
from jackfield_openai import Dialect, build_body

Asked = Callable[..., ConversationRequest]
LOOK = Tool(name="look", parameters={"type": "object", "properties": {}})
PLACE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
BY_TOOL = Dialect(structured="tool")


def written(request: ConversationRequest, dialect: Dialect) -> dict[str, Any]:
    """The body as it leaves, which OpenAI's own types take."""
    body: dict[str, Any] = msgspec.to_builtins(build_body(request, model="m", dialect=dialect))
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(body)
    return body


def names(body: dict[str, Any]) -> list[str]:
    """The names of the tools."""
    return [tool["function"]["name"] for tool in body.get("tools", ())]


def named(name: str) -> dict[str, Any]:
    """The choice of one tool."""
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("tools", "choice", "sent", "sent_choice"),
    [
        pytest.param((), "", ["place"], named("place"), id="no tools"),
        pytest.param((LOOK,), "", ["look", "place"], "required", id="tools first"),
        pytest.param((LOOK,), "auto", ["look", "place"], "required", id="auto"),
        pytest.param((LOOK,), "none", ["place"], named("place"), id="none"),
        pytest.param((LOOK,), "required", ["look"], "required", id="a call is due"),
        pytest.param((LOOK,), "look", ["look"], named("look"), id="one call is due"),
        pytest.param((Tool(name="place"),), "", ["place", "place_2"], "required", id="name taken"),
    ],
)
def test_a_structure_through_a_tool(
    asked: Asked, tools: tuple[Tool, ...], choice: str, sent: list[str], sent_choice: Any
) -> None:
    """The schema is a tool that the model must call, beside the caller's own unless one of those must be called."""
    wanted = ResponseFormat(schema=PLACE, name="place", description="a place")
    body = written(asked(tools=tools, tool_choice=choice, response_format=wanted), BY_TOOL)
    assert names(body) == sent
    assert body["tool_choice"] == sent_choice
    assert "response_format" not in body
    if sent[-1] != "look":
        assert body["tools"][-1]["function"] == {"name": sent[-1], "description": "a place", "parameters": PLACE}


@pytest.mark.parametrize(("name", "expected"), [("my place!", "my_place_"), ("", "response"), ("a" * 99, "a" * 56)])
def test_a_structures_name_is_made_fit(asked: Asked, name: str, expected: str) -> None:
    """A schema may be called what a tool may not."""
    assert names(written(asked(response_format=ResponseFormat(schema=PLACE, name=name)), BY_TOOL)) == [expected]


def test_a_structure_that_is_no_object(asked: Asked) -> None:
    """Arguments are an object, so another schema is an error that says what to do."""
    wanted = ResponseFormat(schema={"type": "array", "items": {"type": "string"}})
    with pytest.raises(InvalidParameters, match="put the schema into a property of one"):
        written(asked(response_format=wanted), BY_TOOL)


def test_json_without_a_schema_needs_no_tool(asked: Asked) -> None:
    """Any JSON object is asked for as such."""
    body = written(asked(response_format=ResponseFormat(schema=None)), BY_TOOL)
    assert body["response_format"] == {"type": "json_object"}
    assert "tools" not in body


@pytest.mark.parametrize("schema", [None, PLACE], ids=["any JSON", "schema"])
def test_no_structure_at_all(asked: Asked, schema: dict[str, Any] | None) -> None:
    """A server without structured output is not asked without it."""
    with pytest.raises(InvalidParameters, match="no structured output"):
        written(asked(response_format=ResponseFormat(schema=schema)), Dialect(structured="none"))


@pytest.mark.parametrize(
    ("choices", "choice"),
    [
        (frozenset[str](), "required"),
        (frozenset[str](), "any"),
        (frozenset[str](), "look"),
        (frozenset({"required"}), "look"),
        (frozenset({"named"}), "required"),
    ],
)
def test_a_choice_that_is_ignored_is_refused(asked: Asked, choices: frozenset[str], choice: str) -> None:
    """What the server would pass over in silence is an error."""
    with pytest.raises(InvalidParameters, match=f"tool choice '{choice}'"):
        written(asked(tools=(LOOK,), tool_choice=choice), Dialect(tool_choices=choices))


def test_none_is_kept_to_where_the_server_ignores_it(asked: Asked) -> None:
    """A tool that the model doesn't know of isn't called."""
    body = written(asked(tools=(LOOK,), tool_choice="none"), Dialect(tool_choices=frozenset()))
    assert body.keys() == {"model", "messages"}


def test_words_of_the_server(asked: Asked) -> None:
    """Required choice and seed have the server's names."""
    dialect = Dialect(required="any", seed_field="random_seed")
    request = asked(tools=(LOOK,), tool_choice="required", settings=GenerationSettings(seed=0))
    body = msgspec.to_builtins(build_body(request, model="m", dialect=dialect))
    assert body["tool_choice"] == "any"
    assert body["random_seed"] == 0
    assert "seed" not in body


@pytest.mark.parametrize(("count", "fits"), [(1, True), (2, False)])
def test_several_choices(asked: Asked, count: int, fits: bool) -> None:
    """More choices than a call can have are an error, and one is none."""
    request, dialect = asked(settings=GenerationSettings(n=count)), Dialect(most_choices=1)
    if fits:
        assert written(request, dialect)["n"] == 1
    else:
        with pytest.raises(InvalidParameters, match="ask several times"):
            written(request, dialect)


def test_what_is_left_out_is_named_once(asked: Asked) -> None:
    """Metadata and retention that the server doesn't know are named, also when a retry builds the body again."""
    request = asked(metadata={"a": "b"}, prompt_cache_retention=60.0)
    for _ in range(2):
        assert written(request, Dialect(metadata=False, retentions=())).keys() == {"model", "messages"}
    assert request.record.ignored == ("metadata", "prompt_cache_retention")


def test_daprs_own_metadata_is_not_missed(asked: Asked) -> None:
    """What never leaves isn't named as left out."""
    request = asked(metadata={"thinking_config": "x"})
    written(request, Dialect(metadata=False))
    assert request.record.ignored == ()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"a": {"type": "string"}}}),
        (PLACE, PLACE),
    ],
)
def test_a_schema_without_type(asked: Asked, parameters: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    """A tool's schema says that it is an object, also where the caller left that out."""
    [tool] = written(asked(tools=(Tool(name="t", parameters=parameters),)), Dialect())["tools"]
    assert tool["function"]["parameters"] == expected


@pytest.mark.parametrize("member", ["reasoning", "reasoning_content"])
def test_thinking_returns(asked: Asked, member: Any) -> None:
    """An assistant's thinking goes back where the server wants it, in parts of no other role."""
    messages = (
        Message(role="user", parts=(ReasoningPart("no"), TextPart("hi"))),
        Message(role="assistant", parts=(ReasoningPart("h"), ReasoningPart("m"), TextPart("yes"))),
        Message(role="assistant", parts=(ReasoningPart("so"),), tool_calls=(ToolCall("a", "look", "{}"),)),
        Message(role="assistant", parts=(TextPart("bye"),)),
    )
    sent = written(asked(messages=messages), Dialect(returned_reasoning=member))["messages"]
    assert [message.get(member) for message in sent] == [None, "hm", "so", None]
    assert "tool_calls" not in sent[1]


@pytest.mark.parametrize(("named", "expected"), [(True, "look"), (False, None)])
def test_results_name_their_function(asked: Asked, named: bool, expected: str | None) -> None:
    """A result names its function where the server wants that."""
    result = Message(role="tool", parts=(TextPart("1"),), tool_call_id="a", name="look")
    [sent] = written(asked(messages=(result,)), Dialect(tool_names=named))["messages"]
    assert sent.get("name") == expected
