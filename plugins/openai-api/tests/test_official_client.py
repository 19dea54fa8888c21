"""OpenAI's own client against a running host: whole, streamed, with tools, structured, and refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from jackfield import Message, ResponseFormat, TextPart, Tool, ToolCall, Usage
from jackfield.testing import CannedHost

ServeTaker = Callable[..., Any]
HI: ChatCompletionMessageParam = {"role": "user", "content": "hi"}
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_a_reply(host: CannedHost, client: OpenAI) -> None:
    """The text arrives with its usage, and what was asked reaches the component."""
    host.reply("Hello!", usage=Usage(3, 2, 5))

    reply = client.chat.completions.create(
        model="llm",
        messages=[{"role": "system", "content": "Be brief."}, HI],
        temperature=0,
        max_completion_tokens=50,
        stop=["."],
        seed=7,
        metadata={"team": "a"},
    )

    assert reply.choices[0].message.content == "Hello!"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == "canned"
    assert reply.usage is not None
    assert reply.usage.total_tokens == 5
    assert reply._request_id
    (asked,) = host.asked
    assert [(message.role, message.text) for message in asked.messages] == [("system", "Be brief."), ("user", "hi")]
    assert (asked.settings.temperature, asked.settings.max_tokens) == (0.0, 50)
    assert (asked.settings.stop, asked.settings.seed, asked.metadata) == ((".",), 7, {"team": "a"})


def test_a_stream(host: CannedHost, client: OpenAI) -> None:
    """Pieces come as the model writes them, the usage last."""
    host.reply("The quick brown fox", usage=Usage(3, 2, 5))

    with client.chat.completions.create(
        model="llm", messages=[HI], stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)

    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == "The quick brown fox"
    assert len([piece for piece in pieces if piece]) > 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == 3


def test_two_at_once_with_the_asynchronous_client(host: CannedHost) -> None:
    """It streams too, and one connection's requests don't wait for each other."""

    async def ask(client: AsyncOpenAI, text: str) -> str:
        stream = await client.chat.completions.create(
            model="llm", messages=[{"role": "user", "content": text}], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def main() -> list[str]:
        async with AsyncOpenAI(base_url=f"{host.url}/v1", api_key="any", max_retries=0) as client:
            return list(await asyncio.gather(ask(client, "a"), ask(client, "b")))

    assert asyncio.run(main()) == ["You said: a", "You said: b"]


@pytest.mark.parametrize("stream", [False, True])
def test_tools_in_all_their_turns(host: CannedHost, client: OpenAI, stream: bool) -> None:
    """Parallel calls come whole or in pieces, results go back, and what the provider wants back goes with them."""
    calls = ToolCall("c1", "weather", '{"city": "Bremen"}', "signed"), ToolCall("c2", "weather", '{"city": "Ulm"}')
    host.reply("", *calls)
    host.reply("Rain and sun.")
    messages: list[ChatCompletionMessageParam] = [HI]

    if stream:
        with client.chat.completions.stream(model="llm", messages=messages, tools=[WEATHER]) as events:
            message: Any = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(model="llm", messages=messages, tools=[WEATHER]).choices[0].message
    assert [call.function.arguments for call in message.tool_calls] == ['{"city": "Bremen"}', '{"city": "Ulm"}']
    messages.append(message)
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": sky}
        for call, sky in zip(message.tool_calls, ["rain", "sun"], strict=True)
    ]
    last = client.chat.completions.create(model="llm", messages=messages, tools=[WEATHER], tool_choice="none")

    assert last.choices[0].message.content == "Rain and sun."
    asked = host.asked[1]
    assert asked.tool_choice == "none"
    assert asked.tools == (
        Tool(name="weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}}),
    )
    assert asked.messages[1].tool_calls == calls
    assert [(message.role, message.text, message.tool_call_id, message.name) for message in asked.messages[2:]] == [
        ("tool", "rain", "c1", "weather"),
        ("tool", "sun", "c2", "weather"),
    ]


class Place(BaseModel):
    """What a model is to answer."""

    city: str
    people: int


@pytest.mark.parametrize("stream", [False, True])
def test_structured_output(host: CannedHost, client: OpenAI, stream: bool) -> None:
    """``parse`` sends a schema and gives an object."""
    host.reply('{"city": "Ulm", "people": 126000}')

    if stream:
        with client.chat.completions.stream(model="llm", messages=[HI], response_format=Place) as events:
            parsed = events.get_final_completion().choices[0].message.parsed
    else:
        parsed = (
            client.chat.completions.parse(model="llm", messages=[HI], response_format=Place).choices[0].message.parsed
        )

    assert parsed == Place(city="Ulm", people=126000)
    wanted = host.asked[0].response_format
    assert isinstance(wanted, ResponseFormat)
    assert (wanted.name, wanted.strict) == ("Place", True)
    assert wanted.schema is not None
    assert wanted.schema["required"] == ["city", "people"]


def test_parsed_tools(host: CannedHost, client: OpenAI) -> None:
    """``pydantic_function_tool`` makes a strict tool, and its arguments come back as an object."""
    host.call_tool("Place", {"city": "Ulm", "people": 1})

    reply = client.chat.completions.parse(model="llm", messages=[HI], tools=[openai.pydantic_function_tool(Place)])

    assert reply.choices[0].message.tool_calls is not None
    assert reply.choices[0].message.tool_calls[0].function.parsed_arguments == Place(city="Ulm", people=1)
    assert host.asked[0].tools[0].strict


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.InternalServerError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
def test_refusals_of_the_provider(
    host: CannedHost, client: OpenAI, status: int, kind: type[openai.APIStatusError], stream: bool
) -> None:
    """They raise what OpenAI's own would, with the provider's words, before a stream has begun too."""
    host.fail(status, "not like this", retry_after=9 if status == 429 else None)

    with pytest.raises(kind, match="not like this") as raised:
        client.chat.completions.create(model="llm", messages=[HI], stream=stream)

    error = raised.value
    assert error.status_code == (502 if status == 401 else status)
    assert error.response.headers.get("retry-after") == ("9" if status == 429 else None)
    assert isinstance(error.body, dict)
    assert error.body["code"] == {429: "rate_limit_exceeded", 401: "provider_refused_key"}.get(status, "provider_error")


def test_a_refused_key_of_the_provider_is_not_tried_again(host: CannedHost) -> None:
    """The client would repeat a 502, were it not told that this one stays."""
    host.fail(401, "no such key")
    with (
        OpenAI(base_url=f"{host.url}/v1", api_key="any", max_retries=2) as client,
        pytest.raises(openai.InternalServerError),
    ):
        client.chat.completions.create(model="llm", messages=[HI])
    assert len(host.asked) == 1


def test_models(host: CannedHost, client: OpenAI) -> None:
    """Every component is one, and can be looked at alone; a request names it."""
    host.add("big")

    assert sorted(model.id for model in client.models.list()) == ["big", "llm"]
    assert client.models.retrieve("big").owned_by == "conversation.canned"
    with pytest.raises(openai.NotFoundError, match="'small'"):
        client.models.retrieve("small")
    assert client.chat.completions.create(model="big", messages=[HI]).choices[0].message.content == "You said: hi"
    with pytest.raises(openai.NotFoundError, match="no component serves as model 'small'"):
        client.chat.completions.create(model="small", messages=[HI])


@pytest.mark.parametrize("header", ["Authorization", "dapr-api-token"])
def test_the_key_is_the_hosts_token(serve_taker: ServeTaker, header: str) -> None:
    """Without the right one there is nothing to be had, in OpenAI's words; Dapr's own header will do as well."""
    taker = serve_taker(api_token="token-1")
    right = {"Authorization": "Bearer token-1"} if header == "Authorization" else {header: "token-1"}

    with OpenAI(base_url=taker.url, api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError, match="API token"):
            client.chat.completions.create(model="taker", messages=[HI])
        with pytest.raises(openai.AuthenticationError, match="API token"):
            client.models.list()
        reply = client.chat.completions.create(model="taker", messages=[HI], extra_headers=right)
        assert reply.choices[0].message.content == "hi"
        assert client.models.list(extra_headers=right).data[0].id == "taker"
    assert len(taker.asked) == 1


def test_a_component_and_a_model(serve_taker: ServeTaker) -> None:
    """Where the manifest lets a request choose, what stands behind the slash is the provider's model."""
    taker = serve_taker(items={"requestOverrides": ["model"]})

    with OpenAI(base_url=taker.url, api_key="any", max_retries=0) as client:
        assert client.chat.completions.create(model="taker/a/b", messages=[HI]).model == "a/b"
        assert client.chat.completions.create(model="taker", messages=[HI]).model == "own"


def test_what_nobody_models(host: CannedHost, serve_taker: ServeTaker, client: OpenAI) -> None:
    """It reaches a component that sends it on; any other refuses it by name, but for whom the request is for."""
    taker = serve_taker()

    with OpenAI(base_url=taker.url, api_key="any", max_retries=0) as taking:
        taking.chat.completions.create(
            model="taker", messages=[HI], reasoning_effort="low", user="u1", extra_body={"top_k": 5, "min_p": 0.1}
        )
    assert taker.asked[0].extra == {"reasoning_effort": "low", "user": "u1", "min_p": 0.1}
    assert taker.asked[0].settings.top_k == 5

    with pytest.raises(openai.BadRequestError, match="min_p, reasoning_effort"):
        client.chat.completions.create(
            model="llm", messages=[HI], reasoning_effort="low", user="u1", extra_body={"min_p": 0.1}
        )
    reply = client.chat.completions.with_raw_response.create(model="llm", messages=[HI], user="u1")
    assert reply.headers["x-jackfield-ignored"] == "user"


def test_the_cache(serve_taker: ServeTaker) -> None:
    """``cache_ttl`` keeps a reply for those who ask the same; what nobody models is part of the question."""
    taker = serve_taker()
    found: list[str] = []
    efforts: tuple[Literal["low", "high"], ...] = ("low", "low", "high")

    with OpenAI(base_url=taker.url, api_key="any", max_retries=0) as client:
        for effort in efforts:
            reply = client.chat.completions.with_raw_response.create(
                model="taker",
                messages=[HI],
                reasoning_effort=effort,
                extra_body={"cache_ttl": "10m"},
            )
            found.append(reply.headers["x-jackfield-cache"])

    assert found == ["miss", "hit", "miss"]


def test_scrubbing_needs_a_scrubber(serve_taker: ServeTaker) -> None:
    """What should be scrubbed and can't be is not sent on, and the client doesn't try again."""
    taker = serve_taker(items={"scrubber": "none"})

    with (
        OpenAI(base_url=taker.url, api_key="any", max_retries=2) as asking,
        pytest.raises(openai.InternalServerError, match="scrubbing was asked for"),
    ):
        asking.chat.completions.create(model="taker", messages=[HI], extra_body={"scrub_pii": True})
    assert taker.asked == []


def test_a_reply_without_a_word(host: CannedHost, client: OpenAI) -> None:
    """Its text is empty, not null, which clients would stumble over."""
    host.reply("")
    assert client.chat.completions.create(model="llm", messages=[HI]).choices[0].message.content == ""
    assert host.asked[0].messages == (Message(role="user", parts=(TextPart("hi"),)),)


def test_other_apis(client: OpenAI) -> None:
    """A client that asks for one that isn't here is told what is."""
    with pytest.raises(openai.NotFoundError, match="/v1/chat/completions"):
        client.responses.create(model="llm", input="hi")
    with pytest.raises(openai.NotFoundError, match="/v1/chat/completions"):
        client.embeddings.create(model="llm", input="hi")
