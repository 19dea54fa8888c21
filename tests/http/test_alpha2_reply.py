"""Alpha2 replies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield.events import Choice, FinishReason, Result, Usage
from jackfield.http.alpha2 import encode_alpha2
from jackfield.messages import ConversationRequest, ReasoningPart, TextPart, ToolCall


def reply(result: Result, context_id: str = "") -> Any:
    """Return a reply's JSON."""
    request = ConversationRequest(component="echo", messages=(), context_id=context_id)
    return json.loads(encode_alpha2(request, result))


def test_tool_calls_as_in_the_contract() -> None:
    """The contract's echo of a user, a system message and a tool has this shape."""
    choice = Choice(
        parts=(TextPart("well hello there\nYou are a helpful assistant"),),
        tool_calls=(ToolCall("0", "test_function", "param1"),),
        finish_reason="tool_calls",
    )
    usage = Usage(prompt_tokens=8, completion_tokens=8, total_tokens=16)
    assert reply(Result(choices=(choice,), usage=usage), "c-1") == {
        "contextId": "c-1",
        "outputs": [
            {
                "choices": [
                    {
                        "finishReason": "tool_calls",
                        "message": {
                            "content": "well hello there\nYou are a helpful assistant",
                            "toolCalls": [{"id": "0", "function": {"name": "test_function", "arguments": "param1"}}],
                        },
                    }
                ],
                "usage": {"completionTokens": "8", "promptTokens": "8", "totalTokens": "16"},
            }
        ],
    }


def test_a_tool_result_as_in_the_contract() -> None:
    """The contract's echo of a tool's result has this shape."""
    text = "Tool Response for tool ID 'tool-123' with name 'tool name': tool message"
    assert reply(Result.of_text(text, usage=Usage(12, 12, 24))) == {
        "outputs": [
            {
                "choices": [{"finishReason": "stop", "message": {"content": text}}],
                "usage": {"completionTokens": "12", "promptTokens": "12", "totalTokens": "24"},
            }
        ]
    }


def test_each_choice_is_an_output_of_its_own() -> None:
    """Outputs hold one choice each, with its position as text unless it is 0, and repeat usage and model."""
    reasons: tuple[FinishReason, ...] = ("stop", "length", "content_filter")
    choices = tuple(Choice((TextPart(reason),), finish_reason=reason) for reason in reasons)
    outputs = reply(Result(choices=choices, model="m", usage=Usage(1, 2, 3)))["outputs"]
    assert [output.pop("choices") for output in outputs] == [
        [{"finishReason": "stop", "message": {"content": "stop"}}],
        [{"finishReason": "length", "index": "1", "message": {"content": "length"}}],
        [{"finishReason": "content_filter", "index": "2", "message": {"content": "content_filter"}}],
    ]
    usage = {"completionTokens": "2", "promptTokens": "1", "totalTokens": "3"}
    assert outputs == [{"model": "m", "usage": usage}] * 3


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        (Usage(), {}),
        (Usage(total_tokens=2**63), {"totalTokens": "9223372036854775808"}),
        (Usage(cached_tokens=0, reasoning_tokens=0), {}),
        (Usage(prompt_tokens=-1), {}),
        (Usage(cached_tokens=-1, reasoning_tokens=-1), {}),
        (
            Usage(1, 0, 1, cached_tokens=1, reasoning_tokens=0),
            {"promptTokens": "1", "totalTokens": "1", "promptTokensDetails": {"cachedTokens": "1"}},
        ),
        (
            Usage(
                cached_tokens=1,
                prompt_audio_tokens=2,
                reasoning_tokens=3,
                completion_audio_tokens=4,
                accepted_prediction_tokens=5,
                rejected_prediction_tokens=6,
            ),
            {
                "completionTokensDetails": {
                    "acceptedPredictionTokens": "5",
                    "audioTokens": "4",
                    "reasoningTokens": "3",
                    "rejectedPredictionTokens": "6",
                },
                "promptTokensDetails": {"audioTokens": "2", "cachedTokens": "1"},
            },
        ),
    ],
)
def test_usage_is_written_as_far_as_it_is_known(usage: Usage | None, expected: object) -> None:
    """Counts are text and zeros are left out; details appear with a member above 0, usage where it was told at all."""
    (output,) = reply(Result.of_text("x", usage=usage))["outputs"]
    assert output.get("usage") == expected


def test_empty_content_is_an_empty_message() -> None:
    """The contract's echo of empty content: a choice with an empty message, and usage without numbers."""
    result = Result(choices=(Choice((TextPart(""),)),), usage=Usage())
    assert reply(result) == {"outputs": [{"choices": [{"finishReason": "stop", "message": {}}], "usage": {}}]}


def test_an_empty_result_is_an_empty_object() -> None:
    """Without choices and context nothing is left to say."""
    assert reply(Result(choices=())) == {}


def test_reasoning_is_left_out_and_text_joined() -> None:
    """The wire has no field for reasoning, and one for text."""
    choice = Choice((ReasoningPart("hm"), TextPart("a"), TextPart("b")), (ToolCall("", "f", ""),))
    (output,) = reply(Result((choice,)))["outputs"]
    assert output["choices"][0]["message"] == {"content": "ab", "toolCalls": [{"function": {"name": "f"}}]}


def test_half_a_surrogate_pair_is_no_failure() -> None:
    """Text that can't be written as UTF-8 is written with a question mark, in the same shape."""
    (output,) = reply(Result.of_text("a\ud83db", usage=Usage()))["outputs"]
    assert output == {"choices": [{"finishReason": "stop", "message": {"content": "a?b"}}], "usage": {}}
