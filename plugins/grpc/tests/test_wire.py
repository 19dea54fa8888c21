"""Calls as they come over the wire: refused, hostile, hurried, and those that other clients make."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from dapr.proto.runtime.v1 import ai_pb2, dapr_pb2, dapr_pb2_grpc, metadata_pb2
from google.protobuf import any_pb2, duration_pb2, empty_pb2, struct_pb2, wrappers_pb2
from google.protobuf.json_format import MessageToJson
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from jackfield import ConversationRequest, ProviderError, Result
from jackfield.testing import FakeUpstream, hang

if TYPE_CHECKING:
    from tests.conftest import Served

PATIENCE = 10.0
METHOD = "/dapr.proto.runtime.v1.Dapr/"
NEW = "max_tokens" in ai_pb2.ConversationRequestAlpha2.DESCRIPTOR.fields_by_name
HELLO = ai_pb2.ConversationRequestAlpha2(
    name="llm",
    inputs=[
        ai_pb2.ConversationInputAlpha2(
            messages=[
                ai_pb2.ConversationMessage(
                    of_user=ai_pb2.ConversationMessageOfUser(content=[ai_pb2.ConversationMessageContent(text="hello")])
                )
            ]
        )
    ],
)


def hello(**members: Any) -> ai_pb2.ConversationRequestAlpha2:
    """Make a request that says hello, with further fields."""
    asked = ai_pb2.ConversationRequestAlpha2()
    asked.CopyFrom(HELLO)
    asked.MergeFrom(ai_pb2.ConversationRequestAlpha2(**members))
    return asked


def refused(call: Callable[[], object]) -> Any:
    """Make a call and return its error, whose type has no stubs for its parts."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def detail(error: Any) -> dict[str, str]:
    """Return the metadata of the ``ErrorInfo`` that an error brings."""
    info = error_details_pb2.ErrorInfo()
    (packed,) = rpc_status.from_call(error).details
    assert packed.Unpack(info)
    assert info.domain == "dapr.io"
    return {"reason": info.reason, **info.metadata}


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        ((), "missing api token in request metadata"),
        ((("dapr-api-token", "t0ken "),), "authentication error: api token mismatch"),
        ((("dapr-api-token", ""),), "authentication error: api token mismatch"),
    ],
)
@pytest.mark.parametrize("method", ["ConverseAlpha2", "GetMetadata", "Shutdown", "SaveState", "Nothing"])
def test_every_method_wants_the_token(
    method: str, sent: tuple[tuple[str, str], ...], cause: str, unserved: Served
) -> None:
    """Without the right token even a method that isn't there is refused, as daprd does it."""
    with unserved.serve(api_token="t0ken"), grpc.insecure_channel(unserved.address) as channel:
        call = channel.unary_unary(METHOD + method, None, None)
        error = refused(lambda: call(b"", metadata=sent))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAUTHENTICATED, "Unauthorized")
        assert detail(error) == {"reason": "Unauthorized", "http.code": "401", "http.error_message": cause}
        health = health_pb2_grpc.HealthStub(channel)
        assert refused(lambda: health.Check(health_pb2.HealthCheckRequest())).code().name == "UNAUTHENTICATED"
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        assert refused(lambda: list(reflection.ServerReflectionInfo(iter([asked])))).code().name == "UNAUTHENTICATED"
    assert not unserved.requests


def test_the_right_token_lets_in_and_goes_no_further(unserved: Served) -> None:
    """A call with the token is answered; the component's headers have the call's metadata, without the token."""
    with unserved.serve(api_token="t0ken"), grpc.insecure_channel(unserved.address) as channel:
        stub = dapr_pb2_grpc.DaprStub(channel)  # type: ignore[no-untyped-call]
        stub.ConverseAlpha2(HELLO, metadata=(("dapr-api-token", "t0ken"), ("x-tenant", "blue")))
    (request,) = unserved.requests
    assert (request.headers.get("x-tenant"), request.headers.get("dapr-api-token")) == ("blue", "")


@pytest.mark.parametrize("method", ["/dapr.proto.runtime.v1.Dapr/SaveState", "/other.Service/Method"])
@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream", "stream_unary", "stream_stream"])
def test_other_methods_are_not_implemented(method: str, kind: str, channel: grpc.Channel) -> None:
    """Whatever kind of call it is, a method that isn't here is UNIMPLEMENTED, in daprd's words for that."""
    sent = b"" if kind.startswith("unary") else iter([b"one", b"two"])
    call: Any = getattr(channel, kind)(method)
    error = refused(lambda: call(sent) if kind.endswith("unary") else list(call(sent)))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNIMPLEMENTED, "Not Implemented")
    assert detail(error) == {
        "reason": "Not Implemented",
        "http.code": "501",
        "http.error_message": "requested endpoint is not available",
    }


def test_a_request_over_the_limit_is_refused(unserved: Served) -> None:
    """One byte less is answered, one more is RESOURCE_EXHAUSTED and reaches no component."""
    asked = hello(context_id="x")
    asked.inputs[0].messages[0].of_user.content[0].text = "y" * 3000
    size = asked.ByteSize()
    with unserved.serve(max_body_size=size), grpc.insecure_channel(unserved.address) as channel:
        call = channel.unary_unary(METHOD + "ConverseAlpha2", None, None)
        call(asked.SerializeToString())
        asked.context_id = "xx"
        error = refused(lambda: call(asked.SerializeToString()))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(unserved.requests) == 1


def test_bytes_that_are_no_message_are_refused(channel: grpc.Channel, served: Served) -> None:
    """What can't be read is an error of that call alone."""
    call = channel.unary_unary(METHOD + "ConverseAlpha2", None, None)
    error = refused(lambda: call(b"\xff\xff\xff"))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert error.details() == "the request is no dapr.proto.runtime.v1.ConversationRequestAlpha2"
    assert call(HELLO.SerializeToString())
    assert len(served.requests) == 1


def test_a_deadline_that_has_passed(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """A call whose deadline has passed already is DEADLINE_EXCEEDED, and the server goes on."""
    assert refused(lambda: stub.ConverseAlpha2(HELLO, timeout=-1)).code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert stub.ConverseAlpha2(HELLO).outputs


@pytest.mark.parametrize("how", ["cancel", "deadline", "leave"])
def test_who_leaves_ends_the_provider_s_call(how: str, served: Served) -> None:
    """A cancelled call, a deadline and a lost client close the connection to the provider; the record says 499."""

    async def run() -> None:
        async with FakeUpstream(hang) as upstream:
            loop = asyncio.get_running_loop()

            async def ask(request: ConversationRequest) -> Result:
                reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
                try:
                    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
                    await reader.read()
                finally:
                    writer.close()
                return Result.of_text("too late")

            served.script = ask
            channel = grpc.insecure_channel(served.address)
            call = channel.unary_unary(METHOD + "ConverseAlpha2", None, None).future(
                HELLO.SerializeToString(), timeout=0.5 if how == "deadline" else PATIENCE
            )
            async with asyncio.timeout(PATIENCE):
                await upstream.asked.wait()
                if how == "cancel":
                    call.cancel()  # type: ignore[no-untyped-call]
                elif how == "leave":
                    channel.close()
                began = loop.time()
                await upstream.closed.wait()
            assert loop.time() - began < 5
            channel.close()

    asyncio.run(run())
    (request,) = served.requests
    until(lambda: request.record.status == 499)


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread is about to do."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.005)


def test_trailers_tell_what_http_s_headers_tell(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """The caller's request id comes back, and which component answered; on errors too."""
    _, call = stub.ConverseAlpha2.with_call(HELLO, metadata=(("x-request-id", "r-17"),))
    trailers = dict(call.trailing_metadata())
    assert float(trailers.pop("x-jackfield-overhead-ms")) > 0
    assert trailers == {"x-request-id": "r-17", "x-jackfield-component": "llm"}
    _, call = stub.ConverseAlpha2.with_call(HELLO, metadata=(("x-request-id", "x" * 500),))
    assert len(dict(call.trailing_metadata())["x-request-id"]) < 100
    absent = ai_pb2.ConversationRequestAlpha2(name="absent")
    error = refused(lambda: stub.ConverseAlpha2(absent, metadata=(("x-request-id", "r-18"),)))
    assert dict(error.trailing_metadata())["x-request-id"] == "r-18"


def test_a_long_error_reaches_the_client(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """A provider's long text is cut to what a client's headers can hold, whatever its letters."""

    async def fail(request: ConversationRequest) -> Result:
        raise ProviderError("ü" * 100_000)

    served.script = fail
    error = refused(lambda: stub.ConverseAlpha2(HELLO))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert error.details().startswith("failed conversing with component llm: üüü")
    assert error.details().endswith("ü...")


WRAPPED = {
    "max_tokens": wrappers_pb2.Int64Value(value=7),
    "topP": wrappers_pb2.DoubleValue(value=0.5),
    "stop": struct_pb2.ListValue(values=[struct_pb2.Value(string_value="END")]),
    "seed": struct_pb2.Value(number_value=5),
    "unknown": duration_pb2.Duration(seconds=1),
    "extra": struct_pb2.Struct(fields={"a": struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)}),
}


def test_settings_come_in_any_wrapper(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """Well-known types hold settings; one of another type that names no setting does no harm."""
    parameters = {}
    for key, value in WRAPPED.items():
        parameters[key] = any_pb2.Any()
        parameters[key].Pack(value)
    stub.ConverseAlpha2(hello(parameters=parameters, **({"max_tokens": 9} if NEW else {})))
    settings = served.requests[0].settings
    assert (settings.max_tokens, settings.top_p, settings.stop, settings.seed) == (9 if NEW else 7, 0.5, ("END",), 5)


BROKEN = any_pb2.Any(type_url="type.googleapis.com/google.protobuf.Int64Value", value=b"\xff")
NOT_FINITE = struct_pb2.Struct(fields={"minimum": struct_pb2.Value(number_value=float("inf"))})
UNTYPED = struct_pb2.Struct(fields={"title": struct_pb2.Value(string_value="x")})
NAMELESS = ai_pb2.ConversationMessage(
    of_assistant=ai_pb2.ConversationMessageOfAssistant(tool_calls=[ai_pb2.ConversationToolCalls(id="1")])
)


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"parameters": {"max_tokens": BROKEN}}, "parameters.max_tokens: not the google.protobuf.Int64Value"),
        ({"temperature": -1.0}, "temperature: must be a finite number, at least 0"),
        ({"response_format": NOT_FINITE}, "a number in a structure is not finite"),
        ({"response_format": UNTYPED}, "responseFormat: a JSON Schema needs a type"),
        ({"prompt_cache_retention": duration_pb2.Duration(seconds=-1)}, "promptCacheRetention: a duration"),
        ({"inputs": [{"messages": [{}]}]}, "message type cannot be nil"),
        ({"inputs": [{"messages": [NAMELESS]}]}, "tool types cannot be nil"),
    ],
)
def test_what_can_be_read_but_not_used(
    members: dict[str, Any], text: str, stub: dapr_pb2_grpc.DaprStub, served: Served
) -> None:
    """The status and the text are those of HTTP, and no provider is asked."""
    error = refused(lambda: stub.ConverseAlpha2(hello(**members)))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith(f"failed conversing with component llm: invalid params: {text}")
    assert not served.requests


def test_a_request_is_the_same_as_over_http(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """What the chain gets does not tell by which way it came, but for the record and the headers."""
    asked = hello(
        context_id="c1", scrub_pii=False, temperature=0.0, metadata={"max_tokens": "3", "k": "v"}, tool_choice="f",
        prompt_cache_retention=duration_pb2.Duration(seconds=60, nanos=500_000_000),
    )  # fmt: skip
    asked.tools.add().function.name = "f"
    asked.tools.add()
    asked.inputs[0].messages.add().of_developer.content.add(text="short")
    said = asked.inputs[0].messages.add().of_assistant
    said.name = "bot"
    said.content.add(text="calling")
    called = said.tool_calls.add(id="a~opaque~sealed")
    called.function.name, called.function.arguments = "f", "{}"
    answered = asked.inputs.add().messages.add().of_tool
    answered.tool_id, answered.name = "a~opaque~sealed", "f"
    answered.content.add(text="1")
    answered.content.add(text="2")
    asked.response_format.update({"type": "json_object"})
    stub.ConverseAlpha2(asked)
    path = "/v1.0-alpha2/conversation/llm/converse"
    assert served.host.request("POST", path, json.loads(MessageToJson(asked))).status == 200
    over_grpc, over_http = served.requests
    names = [name for name in ConversationRequest.__struct_fields__ if name not in {"record", "headers"}]
    assert {name: getattr(over_grpc, name) for name in names} == {name: getattr(over_http, name) for name in names}
    assert over_grpc.messages[2].tool_calls[0].opaque == "sealed"


@pytest.mark.parametrize("version", ["alpha1", "alpha2"])
def test_a_marked_input_is_never_sent_unscrubbed(version: str, stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """The flag is heeded in both versions: with no scrubber here the call is refused."""
    if version == "alpha1":
        asked = ai_pb2.ConversationRequest(name="llm", inputs=[ai_pb2.ConversationInput(content="x", scrubPII=True)])
        error = refused(lambda: stub.ConverseAlpha1(asked))
    else:
        marked = hello()
        marked.inputs[0].scrub_pii = True
        error = refused(lambda: stub.ConverseAlpha2(marked))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "scrub" in error.details()
    assert not served.requests


def test_health(unserved: Served, channel: grpc.Channel) -> None:
    """The server and its service are serving; another name is unknown; a watch ends as not serving with the host."""
    stub = health_pb2_grpc.HealthStub(channel)
    until(lambda: stub.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING)
    dapr = health_pb2.HealthCheckRequest(service="dapr.proto.runtime.v1.Dapr")
    assert stub.Check(dapr).status == health_pb2.HealthCheckResponse.SERVING
    other = health_pb2.HealthCheckRequest(service="other")
    assert refused(lambda: stub.Check(other)).code() == grpc.StatusCode.NOT_FOUND
    seen: list[str] = []
    first = threading.Event()

    def watch() -> None:
        with suppress(grpc.RpcError):
            for reply in stub.Watch(dapr):
                seen.append(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))
                first.set()

    watching = threading.Thread(target=watch)
    watching.start()
    assert first.wait(PATIENCE)
    unserved.host.stop()
    watching.join(PATIENCE)
    assert seen == ["SERVING", "NOT_SERVING"]


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    """A client without the API's files can ask what there is, and for the files themselves."""
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="dapr.proto.runtime.v1.Dapr"),
    ]
    listed, file = stub.ServerReflectionInfo(iter(asked))
    assert {service.name for service in listed.list_services_response.service} == {
        "dapr.proto.runtime.v1.Dapr",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert dapr_pb2.DESCRIPTOR.serialized_pb in file.file_descriptor_response.file_descriptor_proto


def test_metadata_and_shutdown_without_the_sdk(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """GetMetadata has the host's id and features; Shutdown takes an empty message and stops the host."""
    found = stub.GetMetadata(metadata_pb2.GetMetadataRequest())
    assert (found.runtime_version, list(found.enabled_features)) == ("1.18.0", ["HotReload"])
    assert stub.Shutdown(empty_pb2.Empty()) == empty_pb2.Empty()
    served.host.join()


def test_the_observers_are_told(stub: dapr_pb2_grpc.DaprStub, served: Served) -> None:
    """A record has the front end's name, status and times, for answers and for errors."""
    stub.ConverseAlpha2(HELLO)
    record = served.requests[0].record
    assert (record.api, record.status, record.error_code) == ("grpc-alpha2", 200, "")
    assert record.total_seconds >= record.provider_seconds > 0
    stub.ConverseAlpha1(ai_pb2.ConversationRequest(name="llm", inputs=[ai_pb2.ConversationInput(content="x")]))
    assert served.requests[1].record.api == "grpc-alpha1"
