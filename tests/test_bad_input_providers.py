"""Bad input, for every type of provider: one error that names component, field and fix, as docs/operators/errors.md."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from evidence import everything_logged
from markdown import ROOT
from refusals import KEY, MODEL, PROVIDERS, REFUSED, Provider, Refusal
from running import Reply, RunningHost, component

from jackfield.testing import ChatCompletions, Dialect, Exchange, Fail, Messages, Script
from jackfield_bedrock.testing import Converse
from upstream import Upstream, running_upstream

PAGE = ROOT / "docs/operators/errors.md"
MARK = "nobody-may-log-this"
LOOK = {"name": "look", "parameters": {"properties": {"city": {"type": "string"}}}}


@dataclass
class Asking:
    """A host with components of one provider, and the provider's server."""

    provider: Provider
    upstream: Upstream
    host: RunningHost

    def ask(self, name: str = "llm", **members: Any) -> Reply:
        """Say something to a component over alpha2."""
        body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": MARK}]}}]}], **members}
        return self.host.request("POST", f"/v1.0-alpha2/conversation/{name}/converse", body)


def dialect(provider: Provider) -> Dialect:
    """Return the API that a provider's server speaks."""
    by_type = {"conversation.anthropic": Messages, "conversation.aws.bedrock": Converse}
    return by_type.get(provider.type_name, ChatCompletions)()


def manifests(provider: Provider, address: str, gone: str) -> str:
    """Write a component that works, and one for each thing that can be wrong in a manifest."""
    items = {**provider.items, "endpoint": address + provider.path}
    without = {name: value for name, value in items.items() if name != provider.key}
    variants: dict[str, dict[str, str]] = {
        "llm": items,
        "gone": {**items, "endpoint": gone + provider.path},
        "typo": {**items, "modle": MODEL},
        "no-address": {**items, "endpoint": "nowhere"},
        "no-region": {**items, "region": "Mars 1"},
        "no-such-api": {**items, "apiType": "gemini"},
        "no-key": without,
    }
    return "---\n".join(component(name, provider.type_name, **values) for name, values in variants.items())


@pytest.fixture(scope="module", params=PROVIDERS, name="asking")
def _asking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    provider = PROVIDERS[request.param]
    folder = tmp_path_factory.mktemp("manifests")
    with socket.socket() as unused, running_upstream() as upstream:
        unused.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{unused.getsockname()[1]}"
        address = upstream.endpoint.removesuffix("/v1")
        (folder / "a.yaml").write_text(manifests(provider, address, gone))
        with RunningHost(folder) as host:
            yield Asking(provider, upstream, host)


@pytest.fixture(autouse=True, name="quiet")
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look through all that was logged at the end of a test."""
    caplog.set_level(logging.DEBUG)
    yield
    logged = everything_logged(caplog)
    assert KEY not in logged
    assert MARK not in logged


def not_found(reply: Reply, name: str) -> str:
    """Return why a component isn't there; it says so in Dapr's words, with file and line."""
    assert (reply.status, reply.json["errorCode"]) == (400, "ERR_CONVERSATION_NOT_FOUND")
    before, _, why = reply.json["message"].partition(f"failed finding conversation component {name}: ")
    assert before == ""
    assert "/a.yaml:" in why
    return str(why)


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_names_component_and_fix(asking: Asking, what: str) -> None:
    """Wrong key, unknown model, refused tools, too long: the provider's words and what to do, without the key."""
    refusal: Refusal = asking.provider.refusals[REFUSED.index(what)]

    async def refuse(exchange: Exchange) -> None:
        await exchange.send(refusal.status, refusal.body, refusal.headers)

    asking.upstream.behave(refuse)
    reply = asking.ask(tools=[{"function": LOOK}])
    assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
    message = reply.json["message"]
    status = f"API returned unexpected status code: {refusal.status}: "
    assert message.startswith(f"failed conversing with component llm: {status}")
    assert message.endswith(f"; {refusal.todo}")
    assert KEY not in message
    assert refusal.todo.replace(MODEL, "NAME") in PAGE.read_text()


def test_an_unreachable_endpoint_names_address_and_setting(asking: Asking) -> None:
    """A port where nobody listens is told by host and port, with the setting that names it."""
    reply = asking.ask("gone")
    assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
    message = reply.json["message"]
    told = "failed conversing with component gone: network error: failed to reach API server 127.0.0.1:"
    assert message.startswith(told)
    assert "; check endpoint" in message


def test_a_missing_key_names_the_item(asking: Asking) -> None:
    """A component without its key isn't built; a type that needs none is."""
    asking.upstream.behave(Script(dialect(asking.provider)))
    reply = asking.ask("no-key")
    if not asking.provider.without_key:
        assert reply.status == 200
        return
    why = not_found(reply, "no-key")
    assert asking.provider.without_key in why
    assert asking.provider.without_key in PAGE.read_text()
    assert f"`- name: {asking.provider.key}`" in why or f"`name: {asking.provider.key}`" in why or "set both" in why


def test_an_endpoint_that_is_no_address_names_the_item(asking: Asking) -> None:
    """The error shows what an address looks like."""
    why = not_found(asking.ask("no-address"), "no-address")
    assert "spec.metadata.endpoint: " in why
    assert "must be an address such as http" in why


def test_a_setting_of_one_type_is_checked_there_and_warned_of_elsewhere(asking: Asking) -> None:
    """An ``apiType`` or ``region`` that doesn't exist is an error where the type has one, else an unknown item."""
    has_kinds = asking.provider.type_name in {"conversation.openai", "conversation.anthropic"}
    for name, item, checked in (
        ("no-such-api", "apiType", has_kinds),
        ("no-region", "region", asking.provider.type_name == "conversation.aws.bedrock"),
    ):
        if checked:
            why = not_found(asking.ask(name), name)
            assert f"spec.metadata.{item}: {item} must be " in why
            assert "gemini" in why or "Mars 1" in why
        else:
            asking.upstream.behave(Script(dialect(asking.provider)))
            assert asking.ask(name).status == 200


def test_a_typo_is_a_warning_with_the_nearest_name(asking: Asking) -> None:
    """The component serves, and the check of its manifests names the item that was meant."""
    asking.upstream.behave(Script(dialect(asking.provider)))
    assert asking.ask("typo").status == 200
    components = asking.host.request("GET", "/v1.0/metadata").json["jackfield"]["components"]
    (problem,) = next(one["problems"] for one in components if one["name"] == "typo")
    assert "spec.metadata.modle: " in problem
    assert "did you mean model?" in problem


def test_a_tool_without_a_type_becomes_an_object(asking: Asking) -> None:
    """Arguments are an object always, so a schema that doesn't say so reaches the provider as one that does."""
    script = Script(dialect(asking.provider))
    asking.upstream.behave(script)
    assert asking.ask(tools=[{"function": LOOK}]).status == 200
    (tool,) = script.asked[0].tools
    assert tool.parameters is not None
    assert tool.parameters["type"] == "object"


def test_a_response_format_without_a_type_is_refused(asking: Asking) -> None:
    """It is told before the provider is asked, and not passed over."""
    script = Script(dialect(asking.provider))
    asking.upstream.behave(script)
    reply = asking.ask(responseFormat={"properties": {"city": {"type": "string"}}})
    assert (reply.status, reply.json["errorCode"]) == (400, "ERR_CONVERSATION_INVALID_PARMS")
    told = "failed conversing with component llm: invalid params: responseFormat: a JSON Schema needs a type"
    assert reply.json["message"].startswith(told)
    assert script.asked == []


def test_the_answer_after_bad_input_is_well(asking: Asking) -> None:
    """Nothing of a failure is left behind."""
    script = Script(dialect(asking.provider))
    script.replies.append(Fail(400, "no"))
    asking.upstream.behave(script)
    assert asking.ask().status == 500
    assert asking.ask().text == f"You said: {MARK}"
