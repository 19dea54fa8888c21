"""Unary and streamed replies are the same reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from jackfield import (
    Choice,
    Delta,
    Event,
    Finish,
    ProviderError,
    ReasoningPart,
    Result,
    TextPart,
    ToolCall,
    ToolCallPart,
    Usage,
)
from jackfield.chain.forms import collect

texts = st.text(min_size=1, max_size=20)
calls = st.builds(ToolCall, id=texts, name=texts, arguments=st.text(max_size=20), opaque=st.text(max_size=5))
choices = st.builds(
    Choice,
    # Neighbours of one kind would be joined, as nobody can tell them from the pieces of one part.
    parts=st.sampled_from(
        [
            (),
            (TextPart("a"),),
            (ReasoningPart("r", "sig"), TextPart("b")),
            (ReasoningPart("r", "one"), ReasoningPart("", "two"), ReasoningPart("s"), TextPart("b")),
            (ReasoningPart("only"),),
        ]
    ),
    tool_calls=st.lists(calls, max_size=3).map(tuple),
    finish_reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
)
usages = st.none() | st.builds(Usage, prompt_tokens=st.integers(0, 9), completion_tokens=st.integers(0, 9))


async def replay(events: list[Event]) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event


@given(st.lists(choices, min_size=1, max_size=3).map(tuple), usages)
def test_spreading_and_collecting_gives_the_result_again(choices: tuple[Choice, ...], usage: Usage | None) -> None:
    """Whatever a provider answers in one piece comes through a stream unchanged."""
    result = Result(choices, "m", usage)

    assert result == asyncio.run(collect(replay(result.events())))


@given(st.text(min_size=1, max_size=40), st.data())
def test_text_in_any_pieces_is_one_part(text: str, data: st.DataObject) -> None:
    """However a stream cuts a text, collecting it gives one text part."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    events: list[Event] = [*(Delta(TextPart(piece)) for piece in pieces), Finish("stop")]

    assert Result.of_text(text) == asyncio.run(collect(replay(events)))


def test_pieces_of_tool_calls_are_put_together() -> None:
    """Interleaved pieces of two calls become two calls, each with its id, name and whole arguments."""
    events: list[Event] = [
        Delta(ToolCallPart(0, "a", "one", '{"x"')),
        Delta(ToolCallPart(1, "b", "two", "{}")),
        Delta(ToolCallPart(0, arguments=":1}")),
        Finish("tool_calls"),
    ]

    (choice,) = asyncio.run(collect(replay(events))).choices

    assert (ToolCall("a", "one", '{"x":1}'), ToolCall("b", "two", "{}")) == choice.tool_calls


@pytest.mark.parametrize(
    "events",
    [[], [Delta(TextPart("cut"))], [Delta(TextPart("a")), Finish("stop"), Delta(TextPart("b"), index=1)]],
    ids=["nothing", "no finish", "one choice of two"],
)
def test_a_stream_that_ends_early_is_an_error(events: list[Event]) -> None:
    """A reply that was cut is never taken for a whole one."""
    with pytest.raises(ProviderError, match="ended before it was finished"):
        asyncio.run(collect(replay(events)))


class Picture(Struct, frozen=True, tag="picture"):
    """A kind of part and event that this host doesn't know."""


@pytest.mark.parametrize("piece", [Delta(Picture()), Picture()], ids=["part", "event"])  # type: ignore[arg-type]
def test_an_unknown_piece_is_named(piece: Event) -> None:
    """What has no place in a whole reply is neither dropped nor taken for the reply."""
    with pytest.raises(TypeError, match="Picture has no place in a whole reply"):
        asyncio.run(collect(replay([Delta(TextPart("a")), piece, Finish("stop")])))
