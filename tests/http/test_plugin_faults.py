"""Routes and stages of plugins that fail: what the caller gets, and who is named."""

from __future__ import annotations

import asyncio
import http.client
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from types import ModuleType

import pytest
from running import RunningHost, component
from starlette.types import Receive, Scope, Send

from jackfield import ChainBuild, ConversationRequest, Event, Handler, Stage, hookimpl
from jackfield.frontends import RegisterRoutes
from jackfield.serving.network import Network

KINDS = {"ValueError": ValueError, "SystemExit": SystemExit, "CancelledError": asyncio.CancelledError}


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail as the path says: before a reply, in the middle of it, after it, or by giving none."""
    way, _, kind = scope["path"].rpartition("/")[2].partition("-")
    if way == "nothing":
        return
    if way in {"half", "after"}:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": way == "half"})
    raise KINDS[kind]("the words of a person")


def stages(build: ChainBuild) -> Stage | None:
    """Give a stage that cancels itself after the first event, or one that makes no handler."""

    def cancelling(inner: Handler) -> Handler:
        async def handler(request: ConversationRequest) -> AsyncGenerator[Event, None]:
            async with aclosing(inner(request)) as events:
                async for event in events:
                    yield event
                    raise asyncio.CancelledError("the words of a person")

        return handler

    def seven(_: Handler) -> int:
        return 7

    return {"cancelling": cancelling, "seven": seven}.get(build.name)  # type: ignore[return-value]


@pytest.fixture(name="host", scope="module", params=["hypercorn", "uvicorn"])
def _host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("manifests")
    for name in ("cancelling", "seven", "llm"):
        (folder / f"{name}.yaml").write_text(component(name, extra="  ignoreErrors: true\n"))
    plugin = ModuleType("rotten")

    @hookimpl
    def register_routes(register: RegisterRoutes) -> None:
        register.route("/rotten/{way}", failing)

    plugin.register_routes = register_routes  # type: ignore[attr-defined]
    plugin.wrap_handler = hookimpl(stages)  # type: ignore[attr-defined]
    with RunningHost(folder, Network(port=0, server=request.param), plugins=[plugin]) as host:
        yield host


def named(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The plugins that the log names in errors of requests."""
    records = [record for record in caplog.records if record.name == "jackfield.http"]
    return {vars(record).get("plugin", "") for record in records if record.levelno >= logging.ERROR}


@pytest.mark.parametrize("kind", KINDS)
def test_a_route_that_fails_is_answered_for(host: RunningHost, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """The caller gets a 500 with a code, the log names the plugin, and neither has the exception's text."""
    reply = host.request("GET", f"/rotten/before-{kind}")
    assert reply.status == 500
    assert reply.json == {"errorCode": reply.json["errorCode"], "message": f"internal error: {kind}"}
    assert named(caplog) == {"builtin.rotten"}
    assert "words" not in caplog.text + reply.body.decode()
    assert host.converse("llm").status == 200


def test_a_route_that_gives_no_reply_is_answered_for(host: RunningHost, caplog: pytest.LogCaptureFixture) -> None:
    """An app that just returns leaves nobody waiting."""
    reply = host.request("GET", "/rotten/nothing")
    assert (reply.status, reply.json["message"]) == (500, "internal error: NoReply")
    assert named(caplog) == {"builtin.rotten"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_route_that_fails_half_way_has_its_connection_cut(host: RunningHost, kind: str) -> None:
    """Nobody takes half of a reply for the whole, and the host serves on."""
    with pytest.raises((http.client.HTTPException, OSError)):
        host.request("GET", f"/rotten/half-{kind}")
    assert host.request("GET", f"/rotten/after-{kind}").body == b"half"
    assert host.converse("llm").status == 200


def test_a_stage_that_cancels_itself_breaks_its_own_stream_off(host: RunningHost) -> None:
    """A plugin's cancellation is no cancellation by the host: the stream ends with its error."""
    body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}], "stream": True}
    reply = host.request("POST", "/v1.0-alpha2/conversation/cancelling/converse", body)
    assert reply.status == 200
    assert reply.body.rstrip().rpartition(b"\n\n")[2].startswith(b"event: error\ndata: ")
    assert b"words of a person" not in reply.body


def test_a_stage_that_makes_no_handler_fails_its_component(host: RunningHost) -> None:
    """Its problem names the plugin and the hook, rather than the plugin of the component."""
    components = {each["name"]: each for each in host.request("GET", "/v1.0/metadata").json["jackfield"]["components"]}
    (problem,) = components["seven"]["problems"]
    assert "plugin builtin.rotten: the stage of wrap_handler made int rather than a handler" in problem
    assert components["seven"]["state"] == "failed"
