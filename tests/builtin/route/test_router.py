"""``conversation.router`` as an operator meets it: a host that serves, servers that fail, manifests that change."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from running import RunningHost, component

from jackfield import (
    ChainBuild,
    ConversationRequest,
    Event,
    Handler,
    Message,
    ProviderError,
    RegisterComponents,
    RoutingStrategy,
    ScrubStages,
    Stage,
    Target,
    TextPart,
    hookimpl,
)
from jackfield.builtin.modules import BUILTINS
from jackfield.checking import check_folders
from jackfield.options import HostOptions
from jackfield.plugins.manager import load_plugins
from jackfield.testing import Behaviour, Exchange, chat, event_stream, hang, reset
from upstream import Upstream, running_upstream

PATIENCE = 10.0
PAIRS = {"masked": "a", "refused": "b"}


def write(folder: Path, **files: str) -> None:
    """Write manifests that have settled long ago."""
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.write_text(text)
        os.utime(path, (1, 1))


def openai(name: str, upstream: Upstream, model: str = "m") -> str:
    """A component that calls the server."""
    return component(name, "conversation.openai", key="k", endpoint=upstream.endpoint, model=model)


def router(*targets: str, name: str = "front", **items: Any) -> str:
    """A router; targets are written as in YAML's flow form, or as names."""
    return component(name, "conversation.router", targets=[_target(target) for target in targets], **items)  # type: ignore[arg-type]


def _target(text: str) -> dict[str, str]:
    name, *rest = text.split()
    return {"name": name, **dict(part.split("=") for part in rest)}


def answering(status: int, **headers: str) -> Behaviour:
    """Fail with a status."""

    async def answer(exchange: Exchange) -> None:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        await exchange.send(status, {"error": {"message": f"no {status}"}}, sent)

    return answer


async def nonsense(exchange: Exchange) -> None:
    """Answer with what is no completion."""
    await exchange.send(200, b"<html>")


@contextmanager
def fronted(folder: Path, behaviour: Behaviour, **items: Any) -> Iterator[tuple[RunningHost, Upstream]]:
    """A host with a router over a component of such a server, and an echo after it."""
    with running_upstream(behaviour) as upstream:
        write(folder, a=openai("a", upstream), b=component("b"), front=router("a", "b", **items))
        with RunningHost(folder) as host:
            yield host, upstream


def entry_of(host: RunningHost, name: str) -> dict[str, Any]:
    """What the metadata document says of a component."""
    entries = host.request("GET", "/v1.0/metadata").json["jackfield"]["components"]
    return next((entry for entry in entries if entry["name"] == name), {"state": "absent", "problems": []})


def wait_for_state(host: RunningHost, state: str, name: str = "front") -> list[str]:
    """Wait until a component is in a state; returns its problems."""
    began = time.monotonic()
    while (entry := entry_of(host, name))["state"] != state:
        assert time.monotonic() - began < PATIENCE, entry
        host.host.rescan()
    return list(entry["problems"])


def served_by(host: RunningHost, name: str = "front", **headers: str) -> str:
    """Who answers."""
    reply = host.converse(name, **headers)
    assert reply.status == 200, reply.body
    return reply.headers["x-jackfield-component"]


def checked(folder: Path, modules: Sequence[ModuleType] = ()) -> list[str]:
    """What ``jackfield check`` says."""
    plugins = load_plugins(builtins=(*BUILTINS, *modules))
    options = HostOptions(folders=(folder,), environment={})
    problems = asyncio.run(check_folders(options, plugins.component_types(), plugins)).problems
    return [str(problem).removeprefix(f"{folder}/") for problem in problems]


@pytest.mark.parametrize("api", ["alpha1", "alpha2"])
@pytest.mark.parametrize(
    "behaviour",
    [answering(429), answering(500), answering(503), reset, nonsense],
    ids=["429", "500", "503", "reset", "nonsense"],
)
def test_the_next_target_answers_for_one_in_trouble(tmp_path: Path, behaviour: Behaviour, api: str) -> None:
    """The server that fails is asked once, and the reply says who served."""
    with fronted(tmp_path, behaviour) as (host, upstream):
        reply = host.converse("front", api=api)
        assert (reply.status < 300, reply.headers["x-jackfield-component"]) == (True, "b")
        assert len(upstream.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_wrong_request_is_told_at_once(tmp_path: Path, status: int) -> None:
    """The provider's own words come back under the target's name, and no other target is asked."""
    with fronted(tmp_path, answering(status)) as (host, upstream):
        reply = host.converse("front")
        assert (reply.status, reply.headers["x-jackfield-component"]) == (500, "a")
        assert reply.json["message"].startswith("failed conversing with component a: ")
        assert f"no {status}" in reply.json["message"]
        assert len(upstream.requests) == 1


def test_a_refused_connection_goes_on_to_the_next(tmp_path: Path) -> None:
    """A server that isn't there is the plainest case of all."""
    with running_upstream() as gone:
        write(tmp_path, a=openai("a", gone), b=component("b"), front=router("a", "b"))
    with RunningHost(tmp_path) as host:
        assert served_by(host) == "b"


def test_retry_after_is_heeded(tmp_path: Path) -> None:
    """A server that asked to be left alone isn't asked by the next requests."""
    with fronted(tmp_path, answering(429, Retry_After="30")) as (host, upstream):
        assert [served_by(host) for _ in range(5)] == ["b"] * 5
        assert len(upstream.requests) == 1


def test_a_server_that_keeps_failing_is_left_alone(tmp_path: Path) -> None:
    """Three failures in a row are enough."""
    with fronted(tmp_path, answering(503)) as (host, upstream):
        assert [served_by(host) for _ in range(8)] == ["b"] * 8
        assert len(upstream.requests) == 3


def test_all_failing_names_the_last_and_how_many(tmp_path: Path) -> None:
    """The message has the last provider's status and words."""
    with running_upstream(answering(503)) as upstream:
        write(tmp_path, a=openai("a", upstream), b=openai("b", upstream), front=router("a", "b"))
        with RunningHost(tmp_path) as host:
            message = host.converse("front").json["message"]
    assert message.startswith("failed conversing with component b: ")
    assert message.endswith("503: no 503 (the last of 2 targets that front tried: a, b)")


def test_an_open_breaker_goes_on_and_a_targets_retries_come_first(tmp_path: Path) -> None:
    """A target is entered with its own Resiliency: its repeats are over before the next target is asked."""
    policies = "retries: {few: {duration: 1ms, maxRetries: 1}}, circuitBreakers: {cb: {trip: consecutiveFailures >= 2}}"
    outbound = "targets: {components: {a: {outbound: {retry: few, circuitBreaker: cb}}}}"
    head = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: calm}\nspec:\n"
    write(tmp_path, calm=f"{head}  policies: {{{policies}}}\n  {outbound}\n")
    with fronted(tmp_path, answering(503)) as (host, upstream):
        assert served_by(host) == "b"
        assert len(upstream.requests) == 2
        assert served_by(host) == "b"
        assert len(upstream.requests) == 2, "the breaker is open"


def test_an_outbound_timeout_bounds_the_wait_over_all_targets(tmp_path: Path) -> None:
    """Both hang for longer than the router may take, so the caller is told of the router's limit."""
    head = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: calm}\nspec:\n"
    policies = "policies: {timeouts: {short: 300ms}}\n  targets: {components: {front: {outbound: {timeout: short}}}}\n"
    with running_upstream(hang) as upstream:
        slow = openai("a", upstream).replace("  metadata:\n", '  metadata:\n  - {name: timeout, value: "200ms"}\n')
        other = openai("b", upstream)
        write(tmp_path, a=slow, b=other, front=router("a", "b"), calm=f"{head}  {policies}")
        with RunningHost(tmp_path) as host:
            reply = host.converse("front")
            assert reply.status == 500
            assert "300ms" in reply.json["message"]
            assert len(upstream.requests) == 2


def test_a_targets_model_is_the_one_asked_for(tmp_path: Path) -> None:
    """One component may be two targets with two models; a request's own model isn't allowed on a router."""

    async def first_fails(exchange: Exchange) -> None:
        await (answering(503) if exchange.body["model"] == "big" else chat)(exchange)

    with running_upstream() as upstream:
        targets = ("a model=big", "a")
        write(tmp_path, a=openai("a", upstream, "small"), front=router(*targets, requestOverrides="temperature"))
        with RunningHost(tmp_path) as host:
            body = {
                "inputs": [{"messages": [{"ofUser": {"content": [{"text": "x"}]}}]}],
                "parameters": {"model": "mine"},
            }
            reply = host.request("POST", "/v1.0-alpha2/conversation/front/converse", body)
            assert (reply.status, reply.json["errorCode"]) == (400, "ERR_CONVERSATION_INVALID_PARMS")
            assert served_by(host) == "a"
            upstream.behave(first_fails)
            assert served_by(host) == "a"
            assert [request.body["model"] for request in upstream.requests] == ["big", "small"]


def test_weights_share_requests_out(tmp_path: Path) -> None:
    """Each target has its part, and one that has nearly none is asked when the other fails."""
    write(tmp_path, a=component("a"), b=component("b"))
    write(tmp_path, front=router("a weight=3", "b weight=1", strategy="weighted"))
    with RunningHost(tmp_path) as host:
        counts = Counter(served_by(host) for _ in range(200))
    assert 110 < counts["a"] < 185
    assert counts["a"] + counts["b"] == 200


def test_a_context_stays_with_its_target(tmp_path: Path) -> None:
    """All requests of a context, or of a named header's value, have one target; many of them use all targets."""
    write(tmp_path, a=component("a"), b=component("b"), front=router("a", "b", strategy="sticky"))
    write(tmp_path, users=router("a", "b", name="users", strategy="sticky", strategyOptions={"header": "x-user"}))
    with RunningHost(tmp_path) as host:
        users = [{served_by(host, "users", x_user=f"user-{number}") for _ in range(3)} for number in range(20)]
        contexts = []
        for number in range(20):
            body = {
                "contextId": f"context-{number}",
                "inputs": [{"messages": [{"ofUser": {"content": [{"text": "x"}]}}]}],
            }
            replies = [host.request("POST", "/v1.0-alpha2/conversation/front/converse", body) for _ in range(3)]
            contexts.append({reply.headers["x-jackfield-component"] for reply in replies})
    for found in (users, contexts):
        assert {len(one) for one in found} == {1}
        assert set.union(*found) == {"a", "b"}


def streamed(host: RunningHost, name: str) -> list[Event]:
    """Ask for a stream, on the host's own loop."""
    message = Message(role="user", parts=(TextPart("hello"),))

    async def gather() -> list[Event]:
        entry = host.host.catalog.entries[name]
        assert entry.instance is not None
        handler: Handler = entry.instance.handler  # type: ignore[attr-defined]
        async with aclosing(handler(ConversationRequest(component=name, messages=(message,), stream=True))) as events:
            return [event async for event in events]

    return asyncio.run_coroutine_threadsafe(gather(), host.loop).result(20)


def test_a_stream_goes_on_before_its_first_event_and_never_after(tmp_path: Path) -> None:
    """A server that fails at once is replaced by the next target; one that breaks within a reply isn't."""

    async def breaks(exchange: Exchange) -> None:
        piece = {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": None}]}
        await exchange.send_events(event_stream([piece], done=False), whole=False)
        exchange.writer.close()

    with fronted(tmp_path, answering(503)) as (host, upstream):
        wait_for_state(host, "ready")
        assert streamed(host, "front") == streamed(host, "b")
        assert len(upstream.requests) == 1
        upstream.behave(breaks)
        with pytest.raises(Exception, match="failed conversing with component a"):
            streamed(host, "front")
        assert len(upstream.requests) == 1
        upstream.behave(chat)
        assert streamed(host, "front") == streamed(host, "a") != streamed(host, "b")


def test_a_router_may_be_a_target(tmp_path: Path) -> None:
    """The outer one goes on where all targets of the inner one have failed, and the reply says who served at last."""
    with running_upstream(answering(503)) as upstream:
        write(tmp_path, a=openai("a", upstream), b=openai("b", upstream), c=component("c"))
        write(tmp_path, inner=router("a", "b", name="inner"), front=router("inner", "c"))
        with RunningHost(tmp_path) as host:
            assert served_by(host) == "c"
            assert [request.body["model"] for request in upstream.requests] == ["m", "m"]
            upstream.behave(chat)
            assert served_by(host) == "a"


BROKEN = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: front
spec:
  type: conversation.router
  version: v1
  metadata:
  - name: strategy
    value: rondom
  - name: targets
    value:
    - name: a
    - name: nobody
      weight: 2
    - name: a
    - {name: env}
"""
ENVIRONMENT = component("env", "secretstores.local.env")
NOBODY = "there is no component nobody; add it, or mend it if its own manifest has a problem"
NO_CONVERSATION = (
    "env is a secretstores.local.env, not a conversation component; name a component of a type conversation.*"
)
NO_EFFECT = "has no effect, as conversation.router calls no provider itself; set it for the targets"
NO_MODEL = (
    "can't allow model, as the targets of conversation.router choose their own models; "
    "take model out of the list, and let each target's `model` say which"
)
PROBLEMS = {
    "several": (
        BROKEN,
        [
            "front.yaml:10: spec.metadata.strategy: there is no strategy rondom; known are fallback, sticky, weighted",
            f"front.yaml:14: spec.metadata.targets[1].name: {NOBODY}",
            "front.yaml:16: spec.metadata.targets[2].name: a is a target twice; give one of them the weight of both",
            f"front.yaml:17: spec.metadata.targets[3].name: {NO_CONVERSATION}",
        ],
    ),
    "itself": (
        BROKEN.partition("    - name: nobody")[0].replace("rondom", "weighted").replace("name: a", "name: front"),
        ["front.yaml:13: spec.metadata.targets[0].name: its references form a circle: front -> front; break it"],
    ),
    "options": (
        BROKEN.partition("    - name: nobody")[0].replace("rondom", "sticky")
        + "  - name: strategyOptions\n    value:\n      header: 'x y'\n",
        [
            "front.yaml:16: spec.metadata.strategyOptions: header must be the name of a request header, such as x-user",
        ],
    ),
    "no targets": (
        BROKEN.partition("    value:\n    - name: a")[0].replace("rondom", "sticky") + "    value: []\n",
        ["front.yaml:12: spec.metadata.targets: must have at least 1 entries"],
    ),
    "no effect": (
        BROKEN.partition("    - name: nobody")[0].replace("rondom", "weighted")
        + "".join(
            f"  - name: {name}\n    value: {value}\n"
            for name, value in {
                "timeout": "5s",
                "maxConcurrency": "2",
                "cache": "none",
                "cachePartitionHeader": "x-tenant",
                "requestOverrides": "[temperature, Model]",
            }.items()
        ),
        [
            f"front.yaml:15: spec.metadata.timeout: {NO_EFFECT}, or an outbound timeout in a Resiliency manifest",
            f"front.yaml:17: spec.metadata.maxConcurrency: {NO_EFFECT}",
            f"front.yaml:19: spec.metadata.cache: {NO_EFFECT}",
            f"front.yaml:21: spec.metadata.cachePartitionHeader: {NO_EFFECT}",
            f"front.yaml:23: spec.metadata.requestOverrides: {NO_MODEL}",
        ],
    ),
    "weight": (
        BROKEN.partition("    - name: nobody")[0].replace("rondom", "weighted") + "      weight: 0\n",
        ["front.yaml:14: spec.metadata.targets[0].weight: must be greater than 0.0, not 0"],
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_a_wrong_manifest_is_told_with_its_lines(tmp_path: Path, case: str) -> None:
    """Serve and check say the same, all at once, each at its line."""
    text, problems = PROBLEMS[case]
    write(tmp_path, a=component("a"), env=ENVIRONMENT, front=text)
    assert sorted(checked(tmp_path)) == problems
    with RunningHost(tmp_path) as host:
        told = wait_for_state(host, "failed")
        assert sorted(problem.removeprefix(f"{tmp_path}/") for problem in told) == problems
        assert host.converse("front").json["errorCode"] == "ERR_CONVERSATION_NOT_FOUND"
        assert host.converse("a").status == 200


def test_routers_in_a_circle_are_told(tmp_path: Path) -> None:
    """Each of them has the problem at the line that names the next one; others are not held up."""
    write(tmp_path, a=component("a"), one=router("two", name="one"), two=router("one", "a", name="two"))
    place = "spec.metadata.targets[0].name: its references form a circle:"
    assert checked(tmp_path) == [
        f"one.yaml:10: {place} one -> two -> one; break it",
        f"two.yaml:10: {place} two -> one -> two; break it",
    ]
    with RunningHost(tmp_path) as host:
        wait_for_state(host, "failed", "one")
        wait_for_state(host, "failed", "two")
        assert host.converse("a").status == 200
        write(tmp_path, two=router("a", name="two") + "\n")
        wait_for_state(host, "ready", "two")
        wait_for_state(host, "ready", "one")
        assert served_by(host, "one") == "a"


def test_an_edit_that_closes_a_circle_leaves_both_serving(tmp_path: Path) -> None:
    """What served before goes on, stale with the circle, and the host comes to rest."""
    write(tmp_path, a=component("a"), b=component("b"), front=router("b"))
    with RunningHost(tmp_path) as host:
        wait_for_state(host, "ready")
        (tmp_path / "b.yaml").write_text(router("front", name="b"))
        told = wait_for_state(host, "stale", "b") + wait_for_state(host, "stale")
        assert all("form a circle" in problem for problem in told), told
        generation = host.host.catalog.generation
        for _ in range(20):
            assert served_by(host) == "b"
        assert host.host.catalog.generation == generation
        (tmp_path / "b.yaml").write_text(component("b"))
        wait_for_state(host, "ready", "b")
        wait_for_state(host, "ready")
        assert served_by(host) == "b"


def test_an_edited_target_is_followed_in_the_same_generation(tmp_path: Path) -> None:
    """No catalog has the new target and a router that still uses the old one."""
    with running_upstream() as upstream:
        write(tmp_path, a=openai("a", upstream, "one"), front=router("a"))
        with RunningHost(tmp_path) as host:
            wait_for_state(host, "ready")
            (tmp_path / "a.yaml").write_text(openai("a", upstream, "two"))
            host.host.rescan()
            began, models = time.monotonic(), ["", ""]
            while models[-1] != "two":
                assert time.monotonic() - began < PATIENCE
                entries = host.host.catalog.entries
                front, target = entries["front"].instance, entries["a"].instance
                assert front is not None
                assert any(reference is target for reference in front.references)
                upstream.requests.clear()
                host.converse("front")
                models = [request.body["model"] for request in upstream.requests]


def test_a_target_that_goes_leaves_the_router_stale_and_one_that_comes_back_heals_it(tmp_path: Path) -> None:
    """The router serves on with the target that it holds, and says what is wrong."""
    write(tmp_path, a=component("a"), b=component("b"), front=router("a", "b"))
    with RunningHost(tmp_path) as host:
        wait_for_state(host, "ready")
        (tmp_path / "a.yaml").unlink()
        (problem,) = wait_for_state(host, "stale")
        assert problem.endswith("spec.metadata.targets[0].name: " + NOBODY.replace("nobody", "a"))
        assert served_by(host) == "a"
        assert host.converse("a").status == 400
        write(tmp_path, a=component("a"))
        wait_for_state(host, "ready")
        assert served_by(host) == "a"


def test_a_target_that_comes_later_heals_the_router(tmp_path: Path) -> None:
    """A router that could not be built is built as soon as what it lacked is there."""
    write(tmp_path, b=component("b"), front=router("a", "b"))
    with RunningHost(tmp_path) as host:
        wait_for_state(host, "failed")
        write(tmp_path, a=component("a"))
        wait_for_state(host, "ready")
        assert served_by(host) == "a"


def test_without_routing_a_router_is_a_clear_problem(tmp_path: Path) -> None:
    """`--no-route` takes the type away, the problem names the option, and the host isn't healthy unless told to be."""
    write(tmp_path, a=component("a"), front=router("a"))
    with RunningHost(tmp_path, options={"deny_plugins": ("builtin.route",)}) as host:
        (problem,) = wait_for_state(host, "failed")
        assert problem.removeprefix(f"{tmp_path}/") == (
            "front.yaml:6: spec.type: there is no component type conversation.router, as routing is switched off; "
            "start the host without --no-route"
        )
        assert host.converse("a").status == 200
        assert host.request("GET", "/v1.0/healthz").status == 500
        lenient = router("a").replace("spec:\n", "spec:\n  ignoreErrors: true\n")
        write(tmp_path, front=lenient)
        began = time.monotonic()
        while host.request("GET", "/v1.0/healthz").status != 204:
            assert time.monotonic() - began < PATIENCE
            host.host.rescan()


def test_router_none_is_a_clear_problem(tmp_path: Path) -> None:
    """A router without its stage could answer nothing."""
    write(tmp_path, a=component("a"), front=router("a", router="none"))
    (problem,) = checked(tmp_path)
    assert "no plugin gives one" in problem


def plugin(*functions: Any) -> ModuleType:
    """A plugin with these hooks."""
    module = ModuleType("tenants")
    for function in functions:
        setattr(module, function.__name__, hookimpl(function))
    return module


class Tenant(RoutingStrategy):
    """Tries the targets in the alphabet's order, backwards if an option says so."""

    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Sequence[Target]:
        """Sort them."""
        return sorted(targets, key=lambda target: target.name, reverse=self.options.get("backwards") is True)


def register_components(register: RegisterComponents) -> None:
    """Register the strategy."""
    register.strategy("tenant", Tenant)


def test_a_plugins_strategy_is_used(tmp_path: Path) -> None:
    """It is known by its name, and gets the manifest's options."""
    write(tmp_path, b=component("b"), a=component("a"), front=router("b", "a", strategy="tenant"))
    options = {"backwards": True}
    write(tmp_path, back=router("a", "b", name="back", strategy="tenant", strategyOptions=options))
    with RunningHost(tmp_path, plugins=[plugin(register_components)]) as host:
        assert (served_by(host), served_by(host, "back")) == ("a", "b")


def test_a_scrubber_that_ran_at_the_router_is_skipped_at_its_target(tmp_path: Path) -> None:
    """A target is entered through its scrub-in, which sees the mark and leaves the message alone."""
    treated: list[str] = []

    def provide_scrubber(build: ChainBuild) -> ScrubStages:
        from msgspec.structs import replace

        def mask(request: ConversationRequest) -> ConversationRequest:
            messages = []
            for message in request.messages:
                if message.scrub and "test" not in message.scrubbed:
                    treated.append(build.name)
                    message = replace(message, scrubbed=("test",), parts=(TextPart("masked"),))  # noqa: PLW2901
                messages.append(message)
            return replace(request, messages=tuple(messages))

        def scrub_in(handler: Handler) -> Handler:
            return lambda request: handler(mask(request))

        nothing: Stage = lambda handler: handler  # noqa: E731
        return ScrubStages(scrub_in, nothing)

    write(tmp_path, a=component("a", scrubPII="input"), front=router("a", scrubPII="input"))
    with RunningHost(tmp_path, plugins=[plugin(provide_scrubber)]) as host:
        reply = host.converse("front")
        assert reply.status == 200, reply.body
        assert reply.json["outputs"][0]["choices"][0]["message"]["content"] == "masked"
        assert treated == ["front"]
        host.converse("a")
        assert treated == ["front", "a"]


def test_a_scrubber_that_a_router_names_scrubs_the_reply_too(tmp_path: Path) -> None:
    """It comes on top of the target's own, and doesn't stand in for one that is missing there."""
    patterns: Any = [{"name": "ORDER", "regex": "ORD-[0-9]{6}"}]
    slow = "  initTimeout: 60s\n"  # on a busy machine
    own = component("orders", "scrubber.presidio", extra=slow, entities=[], patterns=patterns)  # type: ignore[arg-type]
    routers = {name: router(target, name=name, scrubber="orders", scrubPII="output") for name, target in PAIRS.items()}
    write(tmp_path, own=own, a=component("a"), b=component("b", scrubber="none"), **routers)
    text = "ORD-123456 of jane@example.com"
    with RunningHost(tmp_path) as host:
        assert b'"<ORDER> of <EMAIL_ADDRESS>"' in host.converse("masked", text).body
        refused = host.converse("refused", text)
        assert refused.status == 500
        assert b"this component has no scrubber" in refused.body


def test_an_error_of_a_target_keeps_its_kind(tmp_path: Path) -> None:
    """Stages outside the router, such as an outer router's, judge it as they would judge a provider's."""
    with running_upstream(answering(503)) as upstream:
        write(tmp_path, a=openai("a", upstream), b=openai("b", upstream), front=router("a", "b"))
        with RunningHost(tmp_path) as host:
            wait_for_state(host, "ready")
            with pytest.raises(ProviderError) as raised:
                streamed(host, "front")
    assert raised.value.status == 503
