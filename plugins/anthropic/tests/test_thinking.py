"""How a model is told to think, and what that excludes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jackfield import ConversationRequest, GenerationSettings, Message, TextPart, ToolCall

Asked = Callable[..., ConversationRequest]
Written = Callable[..., dict[str, Any]]
SAMPLING = {"temperature", "top_p", "top_k"}


@pytest.mark.parametrize(
    ("model", "thinking", "config", "effort"),
    [
        ("claude-sonnet-5", "", None, None),
        ("claude-sonnet-5", "off", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", "off", {"type": "between_tools"}, None),
        ("claude-sonnet-4-6", "off", None, None),
        ("claude-sonnet-4-6", "adaptive", {"type": "adaptive", "display": "summarized"}, None),
        ("claude-opus-5-5", "low", {"type": "adaptive", "display": "summarized"}, "low"),
        ("claude-haiku-4-5", "2000", {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}, None),
    ],
)
def test_thinking(
    asked: Asked, written: Written, *, model: str, thinking: str, config: dict[str, Any] | None, effort: str | None
) -> None:
    """What a manifest says of thinking is sent as the model knows it; without a word its own default counts."""
    body = written(asked(), model, thinking)
    assert body.get("thinking") == config
    assert body.get("output_config", {}).get("effort") == effort


@pytest.mark.parametrize(
    ("opaque", "config", "ignored"),
    [
        ("", None, ("thinking",)),
        (
            '{"anthropic":[{"signature":"c2ln"}]}',
            {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
            (),
        ),
    ],
)
def test_budget_after_calls(
    asked: Asked, written: Written, opaque: str, config: dict[str, Any] | None, ignored: tuple[str, ...]
) -> None:
    """A budget is left out, and said to be, where the turn that called tools came without its thinking."""
    request = asked(
        messages=(
            Message(role="user", parts=(TextPart("hi"),)),
            Message(role="assistant", tool_calls=(ToolCall("toolu_1", "weather", "{}", opaque),)),
            Message(role="tool", parts=(TextPart("12"),), tool_call_id="toolu_1"),
        )
    )
    assert written(request, "claude-haiku-4-5", "2000").get("thinking") == config
    assert request.record.ignored == ignored


def test_thinking_excludes_sampling(asked: Asked, written: Written) -> None:
    """A model that thinks takes no sampling but a high top_p."""
    request = asked(settings=GenerationSettings(temperature=0.5, top_k=9))
    assert not SAMPLING & set(written(request, "claude-sonnet-4-6", "adaptive"))
    assert request.record.ignored == ("temperature", "top_k")
    assert written(asked(settings=GenerationSettings(top_p=0.97)), "claude-sonnet-4-6", "adaptive")["top_p"] == 0.97
