"""Front ends of plugins on the host's own port: both kinds of paths, behind the same gate, on both servers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from types import ModuleType

import pytest
from running import Reply, RunningHost, component
from scripted import streaming_plugin
from starlette.types import Receive, Scope, Send

from jackfield import (
    ConversationRequest,
    Delta,
    Event,
    Message,
    ProviderError,
    Record,
    RequestError,
    Result,
    TextPart,
    hookimpl,
)
from jackfield.frontends import (
    Call,
    HostView,
    MalformedRequest,
    OverridePolicy,
    Refusal,
    RegisterRoutes,
    encode_json,
    error_code,
    parse_json,
)
from jackfield.serving.network import Network

TOKEN = "token-0123456789"


class Lines:
    """``{"to", "text"}`` in; a line of text out, or one line per piece."""

    name = "lines"
    success = 201

    def read(self, call: Call) -> LinesExchange:
        members = parse_json(call.body)
        if not isinstance(members, dict) or not isinstance(members.get("to"), str):
            raise MalformedRequest("to: expected the name of a component")
        if members["to"] == "anyone":
            conversations = [one for one in call.host.components() if one.type_name.startswith("conversation.")]
            members["to"] = conversations[0].name
        return LinesExchange(call, members)

    def refuse(self, error: RequestError) -> Refusal:
        if error.component == "untold":
            raise KeyError("a fault of the dialect's own")
        retry = error.retry_after if isinstance(error, ProviderError) else None
        status = error.status if isinstance(error, ProviderError) and error.status else error_code(error).http_status
        headers = () if retry is None else (("retry-after", f"{retry:g}"),)
        return Refusal(status, error.message.encode(), headers, "text/plain")


class LinesExchange:
    def __init__(self, call: Call, members: dict[str, str]) -> None:
        self.component = members["to"]
        self._call, self._text = call, members.get("text", "")

    def request(self, overrides: OverridePolicy) -> ConversationRequest:
        if self._text == "fault":
            raise KeyError("a secret")
        message = Message(role="user", parts=(TextPart(self._text),))
        return ConversationRequest(
            component=self.component,
            messages=(message,),
            settings=overrides.defaults,
            stream=self._call.accepts_events,
            headers=self._call.headers,
            record=self._call.record,
        )

    def reply(self, result: Result) -> bytes:
        return encode_json({"said": result.choices[0].text})

    def stream(self) -> LinesStream:
        return LinesStream()


class LinesStream:
    media_type = "application/x-ndjson"
    heartbeat = b""

    def event(self, event: Event) -> bytes:
        if isinstance(event, Delta) and isinstance(event.part, TextPart):
            return encode_json(event.part.text) + b"\n"
        return b""

    def end(self, record: Record) -> bytes:
        return b'{"by":"%s"}\n' % record.served_by.encode()

    def error(self, error: RequestError) -> bytes:
        return b'{"error":true}\n'


async def names(scope: Scope, receive: Receive, send: Send) -> None:
    """A plain function as an ASGI app: the names of the components, and the path's parameter."""
    host: HostView = scope["jackfield.host"]
    listed = sorted(one.name for one in host.components())
    body = json.dumps({"names": listed, "params": dict(scope["path_params"])}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refusing(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    raise ProviderError("429: slow down", status=429, retry_after=7)
    yield


def plugin() -> ModuleType:
    """A plugin with both kinds of paths."""

    @hookimpl
    def register_routes(register: RegisterRoutes) -> None:
        register.conversation("/lines/say", Lines())
        register.route("/lines/names", names)
        register.route("/lines/names/{name}", names, methods=("GET", "DELETE"))

    module = ModuleType("lines")
    vars(module)["register_routes"] = register_routes
    return module


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="host")
def _host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("manifests")
    listed = [
        component("echo"),
        component("refusing", "conversation.refusing"),
        component("untold", "conversation.refusing"),
    ]
    (folder / "all.yaml").write_text("---\n".join(listed))
    plugins = [plugin(), streaming_plugin(refusing=refusing)]
    with RunningHost(folder, Network(port=0, server=request.param), {"api_token": TOKEN}, plugins) as running:
        yield running


def say(host: RunningHost, to: str, text: str = "hello", **headers: str) -> Reply:
    """Say something on the plugin's path."""
    body = json.dumps({"to": to, "text": text})
    return host.request("POST", "/lines/say", body, **{"authorization": f"Bearer {TOKEN}", **headers})


def test_a_dialect_reads_and_writes_the_bytes(host: RunningHost) -> None:
    """Status and body are the dialect's, and the host adds what it tells of every reply."""
    reply = say(host, "echo", "well hello there", x_request_id="mine")
    assert (reply.status, reply.json) == (201, {"said": "well hello there"})
    assert reply.headers["x-request-id"] == "mine"
    assert reply.headers["x-jackfield-component"] == "echo"
    assert float(reply.headers["x-jackfield-overhead-ms"]) >= 0


def test_a_dialect_may_have_a_stream_of_its_own(host: RunningHost) -> None:
    """Media type, pieces and end are the encoder's."""
    reply = say(host, "echo", "well hello there", accept="text/event-stream")
    assert (reply.status, reply.headers["content-type"]) == (201, "application/x-ndjson")
    assert [json.loads(line) for line in reply.body.splitlines()] == ["well hello there", {"by": "echo"}]


def test_a_dialect_sees_which_components_there_are(host: RunningHost) -> None:
    """It may choose one by what serves at the moment."""
    assert say(host, "anyone").headers["x-jackfield-component"] in {"echo", "refusing", "untold"}


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
def test_a_dialect_tells_errors_its_own_way(host: RunningHost, accept: str) -> None:
    """What fails before anything has left gets the status, the headers and the body that the dialect gives it."""
    unknown = say(host, "nobody", accept=accept)
    assert (unknown.status, unknown.body) == (400, b"failed finding conversation component nobody")
    assert unknown.headers["content-type"] == "text/plain"
    slow = say(host, "refusing", accept=accept)
    assert (slow.status, slow.headers["retry-after"]) == (429, "7")
    assert b"slow down" in slow.body
    assert host.request("POST", "/lines/say", "[]", dapr_api_token=TOKEN).status == 400


def test_a_dialect_s_own_fault_harms_one_request(host: RunningHost) -> None:
    """It is a 500 without the fault's text, also where the fault is in telling an error."""
    reply = say(host, "echo", "fault")
    assert (reply.status, reply.body) == (500, b"internal error: KeyError")
    reply = say(host, "untold")
    assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
    assert say(host, "echo").status == 201


def test_an_app_answers_its_paths_and_methods_alone(host: RunningHost) -> None:
    """Parameters and the host are in its scope; what isn't registered is a 404 like every unknown path."""
    reply = host.request("GET", "/lines/names/x", dapr_api_token=TOKEN)
    assert reply.json == {"names": ["echo", "refusing", "untold"], "params": {"name": "x"}}
    assert host.request("GET", "//lines/names/", dapr_api_token=TOKEN).status == 200
    assert host.request("DELETE", "/lines/names/x", dapr_api_token=TOKEN).status == 200
    for method, path in (
        ("PUT", "/lines/names/x"),
        ("GET", "/lines/say"),
        ("POST", "/lines"),
        ("POST", "/lines/names"),
    ):
        reply = host.request(method, path, dapr_api_token=TOKEN)
        assert (reply.status, reply.json["errorCode"]) == (404, "ERR_DIRECT_INVOKE")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"dapr_api_token": TOKEN}, True),
        ({"authorization": f"Bearer {TOKEN}"}, True),
        ({"authorization": f"bearer  {TOKEN}"}, True),
        ({"authorization": f"Basic {TOKEN}"}, False),
        ({"authorization": f"Bearer {TOKEN}x"}, False),
        ({"authorization": TOKEN}, False),
        ({"dapr_api_token": "wrong"}, False),
        ({}, False),
    ],
)
def test_the_token_may_be_a_bearer_s(host: RunningHost, headers: dict[str, str], allowed: bool) -> None:
    """Clients of other APIs have their key there; without it a plugin's paths answer as its dialect does."""
    body = '{"to": "echo"}'
    reply = host.request("POST", "/lines/say", body, **headers)
    assert (reply.status, reply.body) == ((201, b'{"said":""}') if allowed else (401, b"invalid api token"))
    for path in ("/lines/names", "/lines/names/x"):
        reply = host.request("GET", path, **headers)
        assert (reply.status, reply.body == b"invalid api token") == ((200, False) if allowed else (401, True))
    if "authorization" in headers:
        assert host.request("GET", "/v1.0/metadata", **headers).status == 401


def test_a_page_of_another_origin_gets_no_further(host: RunningHost) -> None:
    """The check of origins stands before plugins' paths too."""
    assert say(host, "echo", origin="https://somewhere.example").status == 403
