"""Alpha2's tool choice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield.errors import InvalidParameters
from jackfield.http.alpha2 import decode_alpha2
from jackfield.http.strict_json import parse
from jackfield.messages import ConversationRequest, Record
from jackfield.overrides import OverridePolicy

INPUTS = [{"messages": [{"ofUser": {"content": [{"text": "hi"}]}}]}]
TOOLS = [{"function": {"name": "get_weather"}}, {"function": {"name": "Auto"}}]
NOT_FOUND = (
    "tool choice selected was not found. Must be 'auto', 'none', 'required', "
    "or a specific tool name matching the tools available to be used"
)
REQUIRED = (
    "tool choice must be 'auto', 'none', 'required', or a specific tool name matching the tools available to be used"
)


def decode(tools: list[Any], choice: str | None) -> ConversationRequest:
    """Decode a request with these tools and this choice."""
    body = json.dumps({"inputs": INPUTS, "tools": tools, "toolChoice": choice}).encode()
    return decode_alpha2(parse(body), component="llm", policy=OverridePolicy.from_manifest(None), record=Record())


@pytest.mark.parametrize(
    ("tools", "sent", "chosen"),
    [
        ([], None, ""),
        ([], "", ""),
        ([], "auto", ""),
        ([], "none", ""),
        ([], "anything", ""),
        ([{}], "anything", ""),
        (TOOLS, None, "auto"),
        (TOOLS, "", "auto"),
        (TOOLS, "auto", "auto"),
        (TOOLS, "none", "none"),
        (TOOLS, "required", "required"),
        (TOOLS, "get_weather", "get_weather"),
        (TOOLS, "Auto", "Auto"),
    ],
)
def test_a_tool_choice_is_a_mode_or_a_tool(tools: list[Any], sent: str | None, chosen: str) -> None:
    """With tools the choice is auto unless it says otherwise; without any there is nothing to choose."""
    assert decode(tools, sent).tool_choice == chosen


@pytest.mark.parametrize(
    ("tools", "sent", "cause"),
    [
        ([], "required", REQUIRED),
        ([{}], "required", REQUIRED),
        (TOOLS, "GET_WEATHER", NOT_FOUND),
        (TOOLS, "Required", NOT_FOUND),
        (TOOLS, "other", NOT_FOUND),
    ],
)
def test_a_tool_choice_that_cannot_be_met_has_dapr_s_text(tools: list[Any], sent: str, cause: str) -> None:
    """Requiring a tool where there is none, and naming an unknown one, are told as daprd tells them."""
    with pytest.raises(InvalidParameters) as caught:
        decode(tools, sent)
    assert caught.value.detail == cause
