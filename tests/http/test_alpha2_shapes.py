"""The shapes of alpha2's replies, through a host that runs (contract sheet, sections 1.4 and 1.5)."""

from __future__ import annotations

from pathlib import Path

from raw_http import converse_path
from running import RunningHost, component

from upstream import running_upstream


def test_a_tool_message_has_daprs_words(host: RunningHost) -> None:
    """The last row of section 1.5."""
    tool = {"toolId": "tool-123", "name": "tool name", "content": [{"text": "tool message"}]}
    content = "Tool Response for tool ID 'tool-123' with name 'tool name': tool message"
    output = {
        "choices": [{"finishReason": "stop", "message": {"content": content}}],
        "usage": {"completionTokens": "12", "promptTokens": "12", "totalTokens": "24"},
    }
    for written in (tool, {"tool_id": "tool-123", **{key: tool[key] for key in ("name", "content")}}):
        for member in ("ofTool", "of_tool"):
            reply = host.request("POST", converse_path("echo"), {"inputs": [{"messages": [{member: written}]}]})
            assert reply.json == {"outputs": [output]}


def test_a_model_s_choices_usage_and_name_are_told(tmp_path: Path) -> None:
    """One output per choice, with its index unless that is 0, the same usage as texts, and the model."""
    body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hi"}]}}]}], "n": 2}
    with running_upstream() as upstream:
        items = {"key": "sk-0123456789", "endpoint": upstream.endpoint, "model": "gpt-5-nano"}
        llm = component("llm", "conversation.openai", **items)
        (tmp_path / "llm.yaml").write_text(llm)
        with RunningHost(tmp_path) as asking:
            reply = asking.request("POST", converse_path("llm"), body)
    shared = {
        "model": "gpt-5-nano-2026-01-01",
        "usage": {
            "completionTokens": "7",
            "promptTokens": "1",
            "totalTokens": "8",
            "completionTokensDetails": {"reasoningTokens": "2"},
            "promptTokensDetails": {"cachedTokens": "1"},
        },
    }
    choice = {"finishReason": "stop", "message": {"content": "You said: hi"}}
    assert (reply.status, reply.json) == (
        200,
        {"outputs": [{"choices": [choice], **shared}, {"choices": [{**choice, "index": "1"}], **shared}]},
    )
