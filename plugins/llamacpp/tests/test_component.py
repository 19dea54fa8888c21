"""The component with the real model: what a caller gets."""

from __future__ import annotations

import asyncio
import json
import logging
from time import perf_counter
from typing import Any

import pytest

from jackfield import Delta, InvalidParameters, Overloaded, ProviderError, ResponseFormat, TextPart, Tool
from jackfield_llamacpp.component import LlamaCppConversation

pytestmark = pytest.mark.timeout(300)

QUESTION = "What is the capital of France?"
ANSWER = "The capital of France is Paris."
LONG = "Tell me a very long story about a fox."
WEATHER = Tool(
    name="get_weather",
    description="Tells the weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/City"}},
        "required": ["city"],
        "additionalProperties": False,
        "$defs": {"City": {"type": "string", "maxLength": 30}},
    },
)
ADD = Tool(
    name="add",
    description="Adds two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)


def test_reply_is_streamed_with_finish_and_usage(serve: Any, ask: Any, read: Any) -> None:
    """The model answers piece by piece; one finish with its reason and model follows, and the tokens come last."""

    async def run() -> Any:
        async with serve() as component:
            return await read(component, ask(QUESTION, temperature=0.0))

    reply = asyncio.run(run())
    assert reply.text == ANSWER
    assert [(finish.reason, finish.model) for finish in reply.finishes] == [("stop", "smollm2")]
    assert reply.events[-1] is reply.usages[0]
    assert reply.usages[0].prompt_tokens > 10
    assert reply.usages[0].completion_tokens == 8
    assert reply.usages[0].total_tokens == reply.usages[0].prompt_tokens + 8


def test_the_catalogues_system_prompt_gives_way_to_the_callers(serve: Any, ask: Any, read: Any) -> None:
    """A caller's own system message replaces the default one: sending that same one changes nothing, another does."""

    async def run() -> list[int]:
        async with serve() as component:
            same = ask(QUESTION, system="You are a helpful assistant.", max_tokens=1)
            other = ask(QUESTION, system="You are a pirate who sails the seven seas.", max_tokens=1)
            replies = [await read(component, request) for request in (ask(QUESTION, max_tokens=1), same, other)]
            return [reply.usages[0].prompt_tokens for reply in replies]

    default, same, other = asyncio.run(run())
    assert default == same < other


def test_settings_reach_the_model(serve: Any, ask: Any, read: Any) -> None:
    """Length, stop texts and seed of a request do what they say."""

    async def run() -> tuple[Any, ...]:
        async with serve() as component:
            short = await read(component, ask(LONG, max_tokens=5))
            stopped = await read(component, ask(QUESTION, temperature=0.0, stop=(" Paris",)))
            one, two = [await read(component, ask(LONG, seed=7, temperature=1.0, max_tokens=12)) for _ in range(2)]
            return short, stopped, one, two

    short, stopped, one, two = asyncio.run(run())
    assert (short.finishes[0].reason, short.usages[0].completion_tokens) == ("length", 5)
    assert (stopped.text, stopped.finishes[0].reason) == ("The capital of France is", "stop")
    assert one.text == two.text != ""


def test_several_choices_take_a_slot_each(serve: Any, ask: Any, read: Any) -> None:
    """``n`` choices come each with its finish; their tokens are counted together, the prompt's once."""

    async def run() -> Any:
        async with serve(parallel=2) as component:
            with pytest.raises(InvalidParameters, match=r"n is 3, .* 2 slots; .* raise parallel"):
                await read(component, ask(LONG, n=3))
            return await read(component, ask(LONG, n=2, max_tokens=4))

    reply = asyncio.run(run())
    assert [(finish.index, finish.reason) for finish in reply.finishes] == [(0, "length"), (1, "length")]
    assert {event.index for event in reply.events if isinstance(event, Delta)} == {0, 1}
    assert len(reply.usages) == 1
    assert reply.usages[0].completion_tokens == 8


@pytest.mark.parametrize("leave", ["aclose", "cancel"])
def test_leaving_frees_the_slot(leave: str, serve: Any, ask: Any, read: Any) -> None:
    """Closing the generator or cancelling its task ends the model's work: the only slot answers the next at once."""

    async def run() -> tuple[int, float, float]:
        async with serve() as component:
            slots = component._lease.engine.slots
            began = perf_counter()
            await read(component, ask(LONG, temperature=0.0, max_tokens=100))
            hundred = perf_counter() - began
            began = perf_counter()
            stream = component.stream(ask(LONG, temperature=0.0, max_tokens=1500))
            assert isinstance(await anext(stream), Delta)
            assert slots.free == 0
            if leave == "aclose":
                await stream.aclose()
            else:
                reading = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
            whole = await read(component, ask(LONG, temperature=0.0, max_tokens=3))
            return whole.usages[0].completion_tokens, perf_counter() - began, hundred

    written, left, hundred = asyncio.run(run())
    assert written == 3
    # The whole story would take 15 times as long as a hundred tokens, however busy the machine is.
    assert left < 6 * hundred


def test_leaving_while_the_prompt_is_read_frees_the_slot(serve: Any, ask: Any, read: Any) -> None:
    """A caller who leaves before the first token doesn't keep the model busy with the rest of a long prompt."""

    async def run() -> float:
        async with serve(context_size=4096) as component:
            slots = component._lease.engine.slots
            reading = asyncio.ensure_future(anext(component.stream(ask("word " * 3500))))
            await asyncio.sleep(0)  # the task runs until it waits
            assert slots.free == 0
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            begun = asyncio.get_running_loop().time()
            await slots.take(1, longest_line=1)
            slots.give_back(1)
            return asyncio.get_running_loop().time() - begun

    # Reading all of it takes more than ten seconds here, one batch of it less than one.
    assert asyncio.run(run()) < 5


def test_a_slow_reader_gets_more_at_a_time(serve: Any, ask: Any) -> None:
    """A reader that pauses holds neither the model nor its slot, and then gets the rest in one piece."""

    async def run() -> list[Any]:
        async with serve() as component:
            slots = component._lease.engine.slots
            stream = component.stream(ask(QUESTION, temperature=0.0))
            events = [await anext(stream)]
            await slots.take(1, longest_line=1)  # free only when the model has written all
            slots.give_back(1)
            return events + [event async for event in stream]

    events = asyncio.run(run())
    deltas = [event for event in events if isinstance(event, Delta)]
    assert len(deltas) == 2
    assert "".join(delta.part.text for delta in deltas if isinstance(delta.part, TextPart)) == ANSWER


def test_requests_beyond_the_line_are_refused(serve: Any, ask: Any, read: Any) -> None:
    """With all slots busy, ``maxQueue`` requests wait, and one more is refused with the settings to raise."""

    async def run() -> int:
        async with serve(max_queue=1) as component:
            first = component.stream(ask(LONG, max_tokens=1500))
            await anext(first)
            second = asyncio.ensure_future(read(component, ask(QUESTION, max_tokens=2)))
            await asyncio.sleep(0)  # the task runs until it waits
            assert component._lease.engine.slots.waiting == 1
            with pytest.raises(Overloaded, match="raise parallel or maxQueue"):
                await read(component, ask(QUESTION))
            await first.aclose()
            return int((await second).usages[0].completion_tokens)

    assert asyncio.run(run()) == 2


@pytest.mark.parametrize(
    "response_format",
    [
        ResponseFormat(
            schema={
                "type": "object",
                "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}, "sure": {"type": "boolean"}},
                "required": ["city", "sure"],
                "additionalProperties": False,
            }
        ),
        ResponseFormat(schema=None),
    ],
    ids=["schema", "any object"],
)
def test_structured_output(response_format: ResponseFormat, serve: Any, ask: Any, read: Any) -> None:
    """A reply has the structure that was asked for."""

    async def run() -> Any:
        async with serve() as component:
            return await read(
                component, ask(QUESTION, temperature=0.0, response_format=response_format, max_tokens=200)
            )

    reply = asyncio.run(run())
    value = json.loads(reply.text)
    assert isinstance(value, dict)
    if response_format.schema is not None:
        assert value["city"] in {"Paris", "Rome"}
        assert isinstance(value["sure"], bool)


@pytest.mark.parametrize("choice", ["required", "get_weather"])
def test_forced_tool_choice(choice: str, serve: Any, ask: Any, read: Any) -> None:
    """A tool that has to be called is called, with arguments that keep to its schema, and an id."""

    async def run() -> Any:
        async with serve() as component:
            tools = (WEATHER,) if choice == "required" else (ADD, WEATHER)
            return await read(
                component,
                ask("What is the weather in Rome?", temperature=0.0, tools=tools, tool_choice=choice, stop=("\n",)),
            )

    reply = asyncio.run(run())
    assert reply.call_names == ["get_weather"]
    assert len(reply.call_ids) == 1
    arguments = json.loads(reply.call_arguments)
    assert list(arguments) == ["city"]
    assert isinstance(arguments["city"], str)
    assert reply.text == ""
    assert [finish.reason for finish in reply.finishes] == ["tool_calls"]


def test_auto_tool_choice_is_a_call_or_text(serve: Any, ask: Any, read: Any) -> None:
    """With ``auto`` the model may do either, and what it does arrives as what it is."""

    async def run() -> Any:
        async with serve() as component:
            return await read(
                component, ask("Say hello.", temperature=0.0, tools=(WEATHER,), tool_choice="auto", max_tokens=300)
            )

    reply = asyncio.run(run())
    if reply.call_names:
        assert (reply.text, reply.finishes[0].reason) == ("", "tool_calls")
        assert "city" in json.loads(reply.call_arguments)
    else:
        assert reply.finishes[0].reason in {"stop", "length"}
        assert not reply.text.startswith("{")


def test_tool_choice_none_calls_nothing(serve: Any, ask: Any, read: Any) -> None:
    """With ``none`` the model is not told of any tool."""

    async def run() -> Any:
        async with serve() as component:
            return await read(component, ask(QUESTION, temperature=0.0, tools=(WEATHER,), tool_choice="none"))

    assert asyncio.run(run()).text == ANSWER


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param(
            {"text": "word " * 3000},
            r"has 30\d\d tokens and the model has room for 2048; .* raise contextSize",
            id="context",
        ),
        pytest.param(
            {"text": "hi", "response_format": ResponseFormat(schema={"type": "bogus"})},
            r"refused the request: JSON schema error at #: unrecognized type bogus",
            id="schema",
        ),
        pytest.param({"text": "hi", "temperature": "hot"}, r"refused the request: Field 'temperature'", id="value"),
        pytest.param({"text": "hi", "model": "gpt-5"}, r"has the model smollm2 only, not gpt-5", id="model"),
        pytest.param(
            {"text": "hi", "tools": (WEATHER,), "tool_choice": "nope"}, r"'nope' .* tools: get_weather", id="choice"
        ),
    ],
)
def test_bad_requests_say_why(fields: dict[str, Any], text: str, serve: Any, ask: Any, read: Any) -> None:
    """What can't be done is refused with the reason, and the component answers on."""

    async def run() -> Any:
        async with serve() as component:
            with pytest.raises(InvalidParameters, match=text):
                await read(component, ask(**fields))
            return await read(component, ask(QUESTION, temperature=0.0))

    assert asyncio.run(run()).text == ANSWER


def test_components_with_equal_options_share_an_engine(serve: Any, ask: Any, read: Any, pool: Any) -> None:
    """Two components have one engine, which answers until the last one closes; closing twice does nothing."""

    async def run() -> Any:
        async with serve() as one:
            async with serve(system_prompt="Be brief.") as two:
                assert one._lease.engine is two._lease.engine
                assert len(pool) == 1
            await two.close()
            assert len(pool) == 1
            reply = await read(one, ask(QUESTION, temperature=0.0))
        assert len(pool) == 0
        with pytest.raises(ProviderError, match="unloaded"):
            await read(one, ask(QUESTION))
        return reply

    assert asyncio.run(run()).text == ANSWER


def test_closing_ends_running_replies(serve: Any, ask: Any) -> None:
    """An engine that is closed in the middle of a reply says so to its reader, and does not finish it first."""

    async def run() -> None:
        async with serve() as component:
            stream = component.stream(ask(LONG, max_tokens=1500))
            await anext(stream)
            await component.close()
            with pytest.raises(ProviderError, match="unloaded before the reply was whole"):
                async for _ in stream:
                    pass

    asyncio.run(run())


def test_a_missing_model_says_how_to_get_it(built: Any, pool: Any, tmp_path: Any) -> None:
    """The error of a start without the model's file names the command that fetches it, or the setting to correct."""
    pulled = LlamaCppConversation(built(environment={"JACKFIELD_DATA": str(tmp_path)}), pool)
    with pytest.raises(FileNotFoundError, match="run `jackfield pull smollm2`"):
        asyncio.run(pulled.start())
    own = LlamaCppConversation(built(path=tmp_path / "none.gguf"), pool)
    with pytest.raises(FileNotFoundError, match="correct path in the manifest"):
        asyncio.run(own.start())
    asyncio.run(own.close())


@pytest.mark.parametrize("content", [b"", b"hello", b"GGUF" + bytes(500)], ids=["empty", "text", "broken"])
def test_a_file_that_is_no_model_is_named(content: bytes, built: Any, pool: Any, tmp_path: Any) -> None:
    """A file that the engine can't load makes the start fail with its name, as an operator's mistake and no fault."""
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    component = LlamaCppConversation(built(path=file), pool)
    with pytest.raises(ValueError, match=r"bad\.gguf"):
        asyncio.run(component.start())
    assert len(pool) == 0


def test_a_path_serves_any_gguf(serve: Any, ask: Any, read: Any, model_file: Any, caplog: Any) -> None:
    """A component with ``path`` answers under its file's name; nothing of a conversation is logged."""

    async def run() -> Any:
        async with serve(path=str(model_file), system_prompt="You are a helpful assistant.") as component:
            return await read(component, ask(QUESTION, temperature=0.0))

    with caplog.at_level(logging.DEBUG):
        reply = asyncio.run(run())
    assert (reply.text, reply.finishes[0].model) == (ANSWER, "smollm2")
    assert "France" not in caplog.text
    assert "Paris" not in caplog.text
