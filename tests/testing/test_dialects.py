"""The fake upstreams speak their APIs: they write what the official types read, and read what was said."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

import aiohttp
import openai.types.chat as chat_types
import pytest

from jackfield import Choice, ReasoningPart, Result, ToolCall, Usage
from jackfield.testing import (
    ChatCompletions,
    Cut,
    Dialect,
    Fail,
    FakeUpstream,
    Hang,
    Messages,
    Raw,
    Reply,
    Say,
    Script,
    say,
)

HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
PATHS: dict[type[Dialect], str] = {ChatCompletions: "/v1/chat/completions", Messages: "/v1/messages"}
HELLO = {"role": "user", "content": "hello"}
CALL = ToolCall("call_1", "look", '{"at":"the sea"}')
RICH = say("Let me look.", CALL, reasoning="I should.", signature="c2ln", usage=Usage(31, 17, 48, cached_tokens=5))


def ask(
    dialect: type[Dialect], *replies: Reply, headers: dict[str, str] = HEADERS, path: str = "", **members: Any
) -> tuple[Script, int, bytes, dict[str, str]]:
    """Send one request, and return the script, and the reply's status, body and headers."""
    script = Script(dialect(), replies=deque(replies))
    body = {"model": "m", "max_tokens": 10, "messages": [HELLO], **members}

    async def run() -> tuple[int, bytes, dict[str, str]]:
        async with FakeUpstream(script) as upstream, aiohttp.ClientSession(headers=headers) as session:
            response = await session.post(upstream.address + (path or PATHS[dialect]), json=body)
            return response.status, await response.read(), {str(key): text for key, text in response.headers.items()}

    return script, *asyncio.run(run())


def events(body: bytes) -> list[Any]:
    """The JSON of each server-sent event."""
    lines = body.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def test_a_chat_completion_is_of_openais_type() -> None:
    """The official client reads what the server writes, in both forms, usage included."""
    _, status, body, _ = ask(ChatCompletions, RICH)
    assert status == 200
    whole = chat_types.ChatCompletion.model_validate_json(body)
    message = whole.choices[0].message
    assert (message.content, whole.choices[0].finish_reason) == ("Let me look.", "tool_calls")
    assert [call.id for call in message.tool_calls or ()] == ["call_1"]
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.total_tokens) == (31, 48)
    _, _, streamed, _ = ask(ChatCompletions, RICH, stream=True, stream_options={"include_usage": True})
    chunks = [chat_types.ChatCompletionChunk.model_validate(event) for event in events(streamed)]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Let me look."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 48
    assert streamed.endswith(b"data: [DONE]\n\n")


def test_usage_of_a_stream_must_be_asked_for() -> None:
    """As at OpenAI: without ``include_usage`` there is none."""
    _, _, body, _ = ask(ChatCompletions, RICH, stream=True)
    assert not any(event.get("usage") for event in events(body))


def test_a_message_has_its_blocks() -> None:
    """Thinking with its signature, text and tool use are blocks in this order; cached tokens are counted apart."""
    _, status, body, _ = ask(Messages, RICH)
    reply = json.loads(body)
    assert (status, reply["stop_reason"]) == (200, "tool_use")
    assert reply["content"] == [
        {"type": "thinking", "thinking": "I should.", "signature": "c2ln"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "the sea"}},
    ]
    assert reply["usage"] == {
        "input_tokens": 26,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 5,
        "output_tokens": 17,
    }


def test_a_messages_stream_has_its_events() -> None:
    """The events come in the API's order, each named by its type, with a ping among them, and add up to the blocks."""
    _, _, body, _ = ask(Messages, RICH, stream=True)
    found = events(body)
    kinds = list(dict.fromkeys(event["type"] for event in found))
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    names = [line[7:] for line in body.decode().splitlines() if line.startswith("event: ")]
    assert names == [event["type"] for event in found]
    deltas = [event["delta"] for event in found if event["type"] == "content_block_delta"]
    assert "".join(delta.get("partial_json", "") for delta in deltas) == '{"at":"the sea"}'
    assert "".join(delta.get("thinking", "") for delta in deltas) == "I should."
    assert [delta["signature"] for delta in deltas if "signature" in delta] == ["c2ln"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropics_errors_have_their_types(status: int, kind: str) -> None:
    """A refusal is told in the API's shape, with the time to wait in its header."""
    _, found, body, headers = ask(Messages, Fail(status, "no", retry_after=3))
    reply = json.loads(body)
    assert (found, reply["type"], reply["error"]) == (status, "error", {"type": kind, "message": "no"})
    assert headers["Retry-After"] == "3"


RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "12"}]}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]}


@pytest.mark.parametrize(
    ("dialect", "changes", "status", "reason"),
    [
        (ChatCompletions, {"messages": []}, 400, "messages"),
        (ChatCompletions, {"messages": [{"role": "narrator", "content": "x"}]}, 400, "narrator"),
        (ChatCompletions, {"messages": [{"role": "tool", "content": "x"}]}, 400, "tool_call_id"),
        (ChatCompletions, {"path": "/v1/completions"}, 404, "/v1/completions"),
        (Messages, {"max_tokens": None}, 400, "max_tokens"),
        (Messages, {"headers": {}}, 401, "x-api-key"),
        (Messages, {"headers": {"x-api-key": "key"}}, 400, "anthropic-version"),
        (Messages, {"path": "/messages"}, 404, "Not found"),
        (Messages, {"messages": [{"role": "system", "content": "x"}]}, 400, "role"),
        (Messages, {"messages": [{"role": "user", "content": ""}]}, 400, "non-empty"),
        (Messages, {"messages": [HELLO, USE, HELLO]}, 400, "tool_result"),
        (Messages, {"messages": [HELLO, RESULT]}, 400, "tool_result"),
        (Messages, {"tools": [{"name": "look", "input_schema": {}}]}, 400, "input_schema"),
    ],
)
def test_what_the_api_refuses_is_refused(
    dialect: type[Dialect], changes: dict[str, Any], status: int, reason: str
) -> None:
    """A request that the real API would not take is refused with the reason, and counts as refused, not as asked."""
    script, found, body, _ = ask(dialect, **changes)
    assert (found, script.asked) == (status, [])
    assert reason in body.decode()
    assert len(script.refused) == 1


def test_both_dialects_read_the_same() -> None:
    """What was asked is told in the host's terms, whatever the API calls it."""
    schema = {"type": "object", "properties": {"at": {"type": "string"}}}
    chat, *_ = ask(
        ChatCompletions,
        messages=[
            {"role": "system", "content": "be brief"},
            HELLO,
            {
                "role": "assistant",
                "content": "wait",
                "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "12"},
        ],
        tools=[{"type": "function", "function": {"name": "look", "description": "d", "parameters": schema}}],
        tool_choice="required",
        temperature=0.5,
        stop=["END"],
    )
    use = {"role": "assistant", "content": [{"type": "text", "text": "wait"}, *USE["content"]]}
    messages, *_ = ask(
        Messages,
        system="be brief",
        messages=[HELLO, use, RESULT],
        tools=[{"name": "look", "description": "d", "input_schema": schema}],
        tool_choice={"type": "any"},
        temperature=0.5,
        stop_sequences=["END"],
    )
    (one,), (other,) = chat.asked, messages.asked
    for name in ("messages", "tools", "tool_choice", "settings", "model", "stream", "response_format"):
        assert getattr(one, name) == getattr(other, name), name


def test_a_signature_is_read_back() -> None:
    """Thinking that comes back in a later turn is told with its signature."""
    thinking = {"type": "thinking", "thinking": "I should.", "signature": "c2ln"}
    hidden = {"type": "redacted_thinking", "data": "aGlkZGVu"}
    said = {"role": "assistant", "content": [thinking, hidden, {"type": "text", "text": "so"}]}
    script, *_ = ask(Messages, messages=[HELLO, said, HELLO])
    assert script.asked[0].messages[1].parts[:2] == (
        ReasoningPart("I should.", "c2ln"),
        ReasoningPart("", "aGlkZGVu"),
    )


@pytest.mark.parametrize("dialect", list(PATHS))
@pytest.mark.parametrize("stream", [False, True], ids=["unary", "streamed"])
def test_a_cut_reply_is_not_whole(dialect: type[Dialect], *, stream: bool) -> None:
    """The client sees the connection break."""
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
        ask(dialect, Cut(RICH.result), stream=stream)


@pytest.mark.parametrize("dialect", list(PATHS))
def test_a_hang_begins_and_never_ends(dialect: type[Dialect]) -> None:
    """The first pieces arrive, and then nothing; the server notices when the client leaves."""
    script = Script(dialect(), replies=deque([Hang(RICH.result)]))

    async def run() -> bytes:
        async with FakeUpstream(script) as upstream, aiohttp.ClientSession(headers=HEADERS) as session:
            body = {"model": "m", "max_tokens": 10, "messages": [HELLO], "stream": True}
            async with session.post(upstream.address + PATHS[dialect], json=body) as response:
                first = await response.content.readany()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(response.content.read(), 0.1)
                response.close()
            await asyncio.wait_for(upstream.closed.wait(), 5)
            return first

    assert asyncio.run(run()).count(b"data: ") >= 1


def test_a_raw_reply_is_sent_as_it_is() -> None:
    """A page in a proxy's words is no JSON of the API."""
    _, status, body, headers = ask(ChatCompletions, Raw(b"<html>"))
    assert (status, body, headers["Content-Type"]) == (200, b"<html>", "text/html")


def test_an_obliging_model_calls_what_it_must() -> None:
    """Without a script the last message is repeated, and forced tools are called: all of them, or the one named."""
    tools = [{"type": "function", "function": {"name": name}} for name in ("one", "two")]
    named = {"type": "function", "function": {"name": "two"}}
    for choice, names in (("auto", []), ("none", []), ("required", ["one", "two"]), (named, ["two"])):
        script, _, body, _ = ask(ChatCompletions, tools=tools, tool_choice=choice, n=2)
        choices = json.loads(body)["choices"]
        assert len(choices) == 2
        assert [call["function"]["name"] for call in choices[0]["message"].get("tool_calls", ())] == names
        assert bool(choices[0]["message"]["content"]) == (not names)
        assert script.asked[0].settings.n == 2


def test_the_words_of_an_api_are_used() -> None:
    """A finish reason is written as the API says it; a test may give another word."""
    result = Result((Choice(finish_reason="length"),))
    for dialect, word in ((ChatCompletions, "length"), (Messages, "max_tokens")):
        assert dialect().word(Say(result)) == word
        assert dialect().word(say(finish="solar_flare")) == "solar_flare"


def test_replies_are_answered_in_their_order() -> None:
    """The list is used up from its beginning; then the model is obliging."""
    script = Script(ChatCompletions(), replies=deque([say("one"), say("two")]))

    async def run() -> list[str]:
        async with FakeUpstream(script) as upstream, aiohttp.ClientSession() as session:
            found = []
            for _ in range(3):
                body = {"model": "m", "messages": [HELLO]}
                async with session.post(f"{upstream.endpoint}/chat/completions", json=body) as response:
                    found.append((await response.json())["choices"][0]["message"]["content"])
            return found

    assert asyncio.run(run()) == ["one", "two", "You said: hello"]
