"""The Dapr SDK for Python, as apps use it, against a running host."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from dapr.aio.clients import DaprClient as AsyncDaprClient
from dapr.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc.conversation import (
    ConversationInput,
    ConversationInputAlpha2,
    ConversationResponseAlpha2,
    ConversationTools,
    ConversationToolsFunction,
    create_system_message,
    create_tool_message,
    create_user_message,
)
from google.protobuf.struct_pb2 import Struct

from jackfield import (
    Choice,
    ConversationRequest,
    Message,
    ProviderError,
    ResponseFormat,
    Result,
    TextPart,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from tests.conftest import Served

HELLO = [ConversationInputAlpha2(messages=[create_user_message("hello")])]
WEATHER = ConversationTools(
    function=ConversationToolsFunction(
        name="weather",
        description="The weather of a city",
        parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    )
)


def content(reply: ConversationResponseAlpha2 | None) -> str:
    assert reply is not None
    said: str = reply.outputs[0].choices[0].message.content
    return said


def told(error: Any) -> tuple[str, str]:
    """Return the status and the text of the SDK's error, which has no types."""
    return error.code().name, error.details()


def test_alpha2_answers(sdk: Served) -> None:
    """Text, model, usage and the context's name come back; the component is asked what was sent."""

    async def answer(request: ConversationRequest) -> Result:
        usage = Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7, cached_tokens=3, reasoning_tokens=1)
        return Result((Choice((TextPart("hi there"),)),), model="probe-1", usage=usage)

    sdk.script = answer
    messages = [create_system_message("be brief"), create_user_message("hello")]
    with DaprClient() as client:
        reply = client.converse_alpha2(
            name="llm",
            inputs=[ConversationInputAlpha2(messages=messages)],
            context_id="c-1",
            temperature=0.25,
            parameters={"max_tokens": 50, "top_p": 0.5},
            metadata={"trace": "t1"},
        )
    assert content(reply) == "hi there"
    assert reply.context_id == "c-1"
    output: Any = reply.outputs[0]
    assert (output.model, output.choices[0].finish_reason) == ("probe-1", "stop")
    assert (output.usage.prompt_tokens, output.usage.completion_tokens, output.usage.total_tokens) == (5, 2, 7)
    assert output.usage.prompt_tokens_details.cached_tokens == 3
    assert output.usage.completion_tokens_details.reasoning_tokens == 1
    (request,) = sdk.requests
    assert request.messages == (
        Message(role="system", parts=(TextPart("be brief"),)),
        Message(role="user", parts=(TextPart("hello"),)),
    )
    settings = request.settings
    assert (settings.temperature, settings.max_tokens, settings.top_p) == (0.25, 50, 0.5)
    assert request.metadata == {"trace": "t1"}
    assert request.context_id == "c-1"


def test_alpha1_answers_as_daprd_does(sdk: Served) -> None:
    """One conversation of all inputs, whatever their roles; an output repeats the request's parameters."""
    inputs = [ConversationInput(content="be brief", role="system"), ConversationInput(content="hello", role="pirate")]
    with DaprClient() as client:
        reply = client.converse_alpha1(name="llm", inputs=inputs, context_id="c-1", parameters={"max_tokens": 9})
    assert [output.result for output in reply.outputs] == ["hello"]
    assert reply.context_id == "c-1"
    assert list(reply.outputs[0].parameters) == ["max_tokens"]
    (request,) = sdk.requests
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.settings.max_tokens == 9


def test_tools_through_several_turns(sdk: Served) -> None:
    """Calls go to the app and their results back, with the data that a provider wants again in a later turn."""

    async def answer(request: ConversationRequest) -> Result:
        results = [message for message in request.messages if message.role == "tool"]
        if len(results) < 2:
            city = ("Oslo", "Rome")[len(results)]
            call = ToolCall(f"call-{city}", "weather", json.dumps({"city": city}), opaque=f"signed {city}")
            return Result((Choice(tool_calls=(call,), finish_reason="tool_calls"),))
        return Result.of_text(" and ".join(message.text for message in results))

    sdk.script = answer
    messages = [create_user_message("weather in Oslo and Rome?")]
    with DaprClient() as client:
        for _ in range(3):
            reply = client.converse_alpha2(
                name="llm", inputs=[ConversationInputAlpha2(messages=messages)], tools=[WEATHER]
            )
            messages += reply.to_assistant_messages()
            said: Any = reply.outputs[0].choices[0].message
            for call in said.tool_calls:
                city = json.loads(call.function.arguments)["city"]
                messages.append(create_tool_message(call.id, call.function.name, f"{city}: sunny"))
    assert content(reply) == "Oslo: sunny and Rome: sunny"
    last = sdk.requests[-1]
    asked = [call for message in last.messages for call in message.tool_calls]
    assert [(call.id, call.opaque) for call in asked] == [("call-Oslo", "signed Oslo"), ("call-Rome", "signed Rome")]
    assert [message.tool_call_id for message in last.messages if message.role == "tool"] == ["call-Oslo", "call-Rome"]
    assert (last.tool_choice, last.tools[0].name) == ("auto", "weather")
    assert last.tools[0].parameters == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }


def test_structured_output(sdk: Served) -> None:
    """A schema reaches the component by the rules of HTTP: whole numbers stay whole, listed objects are closed."""
    schema: dict[str, Any] = {
        "type": "object",
        "name": "person",
        "properties": {"age": {"type": "integer", "minimum": 18}},
    }
    wanted = Struct()
    wanted.update(schema)
    with DaprClient() as client:
        client.converse_alpha2(name="llm", inputs=HELLO, response_format=wanted)
    (request,) = sdk.requests
    assert request.response_format == ResponseFormat(
        schema={
            "type": "object",
            "properties": {"age": {"type": "integer", "minimum": 18}},
            "additionalProperties": False,
        },
        name="person",
    )
    assert request.response_format is not None
    assert request.response_format.schema is not None
    assert type(request.response_format.schema["properties"]["age"]["minimum"]) is int


async def refused(request: ConversationRequest) -> Result:
    raise ProviderError("the provider is out of tokens", status=429)


TOOL_CHOICE = (
    "invalid params: tool choice must be 'auto', 'none', 'required', or a specific tool name matching the tools "
    "available to be used"
)


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"name": "absent"}, "INVALID_ARGUMENT", "failed finding conversation component absent"),
        ({"inputs": []}, "INVALID_ARGUMENT", "failed conversing with component llm: missing inputs in request"),
        ({"tool_choice": "required"}, "INVALID_ARGUMENT", f"failed conversing with component llm: {TOOL_CHOICE}"),
        (
            {"temperature": -1.0},
            "INVALID_ARGUMENT",
            "failed conversing with component llm: invalid params: temperature: must be a finite number, at least 0",
        ),
        ({}, "INTERNAL", "failed conversing with component llm: the provider is out of tokens"),
    ],
)
def test_errors_are_daprd_s(given: dict[str, Any], code: str, text: str, sdk: Served) -> None:
    """The SDK's error has the status and text that daprd gives."""
    sdk.script = refused
    with DaprClient() as client, pytest.raises(DaprGrpcError) as caught:
        client.converse_alpha2(**({"name": "llm", "inputs": HELLO} | given))
    assert told(caught.value) == (code, text)


def test_metadata(sdk: Served) -> None:
    """What dapr-agents looks for before its first call is there, and a value that is set comes back."""
    with DaprClient() as client:
        client.set_metadata("cliPID", "42")
        found = client.get_metadata()
    assert [(one.name, one.type, one.version) for one in found.registered_components] == [
        ("llm", "conversation.scripted", "v1")
    ]
    assert found.extended_metadata["cliPID"] == "42"
    assert (1, 16) <= tuple(int(part) for part in found.extended_metadata["daprRuntimeVersion"].split(".")[:2]) < (2,)
    over_http = sdk.host.request("GET", "/v1.0/metadata").json
    assert over_http["extended"] == found.extended_metadata


def test_shutdown_stops_the_host(sdk: Served) -> None:
    """The SDK's shutdown ends the whole host, HTTP too."""
    with DaprClient() as client:
        client.shutdown()
    sdk.host.join()


def test_the_token_is_the_sdk_s(unserved: Served, point: Callable[..., None]) -> None:
    """With the token in its variable the SDK is served, without it, it isn't."""
    with unserved.serve(api_token="t0ken"):
        point(unserved, "t0ken")
        with DaprClient() as client:
            assert content(client.converse_alpha2(name="llm", inputs=HELLO)) == "hello"
        point(unserved)
        with DaprClient() as client, pytest.raises(DaprGrpcError) as caught:
            client.converse_alpha2(name="llm", inputs=HELLO)
    assert told(caught.value) == ("UNAUTHENTICATED", "Unauthorized")


def test_a_client_connects_again(unserved: Served, point: Callable[..., None]) -> None:
    """A client that outlives the host goes on when another host has the port."""
    with unserved.serve():
        point(unserved)
        port = unserved.address.rpartition(":")[2]
        client = DaprClient()
        assert content(client.converse_alpha2(name="llm", inputs=HELLO)) == "hello"
    with client, unserved.serve(service_options={"dapr-grpc-port": port}):
        assert unserved.address.endswith(port)
        # The channel tries again after a while, and fails calls until then.
        for _ in range(500):
            with suppress(DaprGrpcError):
                client.get_metadata()
                break
        assert content(client.converse_alpha2(name="llm", inputs=HELLO)) == "hello"


def test_the_asyncio_client(sdk: Served) -> None:
    """The SDK's asyncio client converses side by side, in both versions, and gets the same errors."""

    async def run() -> list[str]:
        async with AsyncDaprClient() as client:
            with pytest.raises(DaprGrpcError, match="failed finding conversation component absent"):
                await client.converse_alpha2(name="absent", inputs=HELLO)
            alpha1 = await client.converse_alpha1(name="llm", inputs=[ConversationInput(content="first")])
            replies = await asyncio.gather(
                *(
                    client.converse_alpha2(
                        name="llm", inputs=[ConversationInputAlpha2(messages=[create_user_message(f"hello {number}")])]
                    )
                    for number in range(5)
                )
            )
            found = await client.get_metadata()
            return [alpha1.outputs[0].result, *map(content, replies), found.registered_components[0].name]

    assert asyncio.run(run()) == ["first", *(f"hello {number}" for number in range(5)), "llm"]
