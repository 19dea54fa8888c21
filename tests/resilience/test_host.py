"""Resiliency manifests as an operator meets them: HTTP replies, health, metadata, check."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from running import RunningHost, component

from jackfield import Conversation, Settings, hookimpl
from jackfield.builtin.modules import BUILTINS
from jackfield.chain.build import ChainBuild
from jackfield.chain.handler import Handler, Stage
from jackfield.checking import check_folders
from jackfield.errors import Problem
from jackfield.hookspecs import RegisterComponents
from jackfield.options import HostOptions
from jackfield.plugins.manager import load_plugins
from jackfield.testing import Exchange
from upstream import Upstream, running_upstream

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: calm}\nspec:\n"
BREAKER = (
    f"{HEAD}  policies: {{circuitBreakers: {{DefaultCircuitBreakerPolicy: {{trip: consecutiveFailures >= 1}}}}}}\n"
)
BAD = {
    "an expression": BREAKER.replace("consecutiveFailures", "failures"),
    "a duration": f"{HEAD}  policies: {{timeouts: {{short: soon}}}}\n",
    "a policy that isn't there": f"{HEAD}  targets: {{components: {{llm: {{outbound: {{retry: few}}}}}}}}\n",
}


def write(folder: Path, **files: str) -> None:
    """Write manifests that have settled long ago."""
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.write_text(text)
        os.utime(path, (1, 1))


async def down(exchange: Exchange) -> None:
    """Fail."""
    await exchange.send(503, {"error": {"message": "not now"}})


def openai(upstream: Upstream) -> str:
    """A component that calls the server."""
    return component("llm", "conversation.openai", key="k", endpoint=upstream.endpoint)


@pytest.mark.parametrize("api", ["alpha1", "alpha2"])
def test_an_open_breaker_is_an_error_of_the_api(tmp_path: Path, api: str) -> None:
    """Its code is Dapr's, its text says which breaker it is and until when, and the server is left alone."""
    with running_upstream(down) as upstream:
        write(tmp_path, llm=openai(upstream), calm=BREAKER)
        with RunningHost(tmp_path) as host:
            assert "503: not now" in host.converse("llm", api=api).json["message"]
            reply = host.converse("llm", api=api)
            assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
            start = (
                "failed conversing with component llm: circuit breaker is open: DefaultCircuitBreakerPolicy-llm lets"
            )
            assert reply.json["message"].startswith(start)
            assert len(upstream.requests) == 1
            (breaker,) = host.request("GET", "/v1.0/metadata").json["jackfield"]["breakers"]
            assert breaker == {"name": "DefaultCircuitBreakerPolicy-llm", "component": "llm", "state": "open"}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_document_keeps_nothing_from_serving(tmp_path: Path, text: str) -> None:
    """The host is ready, with ``--strict`` too; the metadata document has the problem, in the words of a check."""
    write(tmp_path, llm=component("llm"), calm=text)
    with RunningHost(tmp_path, options={"strict": True}) as host:
        assert host.converse("llm").status == 200
        assert host.request("GET", "/v1.0/healthz").status == 204
        described = host.request("GET", "/v1.0/metadata").json["jackfield"]
    (entry,) = described["resiliency"]
    assert (entry["name"], entry["state"], entry["source"]) == ("calm", "failed", f"{tmp_path}/calm.yaml:1")
    assert described["files"] == []
    assert entry["problems"] == [str(problem) for problem in checked(tmp_path)]


def test_a_file_that_can_not_be_parsed_is_as_with_components(tmp_path: Path) -> None:
    """What is in it isn't known, so the host isn't ready before it is mended."""
    write(tmp_path, llm=component("llm"), calm=BREAKER + "oops: [\n")
    with RunningHost(tmp_path) as host:
        assert host.converse("llm").status == 200
        assert host.request("GET", "/v1.0/healthz").status == 500
        write(tmp_path, calm=BREAKER)
        host.host.rescan()
        while host.request("GET", "/v1.0/healthz").status != 204:
            pass
        (entry,) = host.request("GET", "/v1.0/metadata").json["jackfield"]["resiliency"]
        assert (entry["state"], entry["problems"]) == ("ready", [])


class RouterSettings(Settings):
    """Where to pass requests on to."""

    targets: tuple[dict[str, Any], ...] = ()


class Router(Conversation[RouterSettings]):
    """Answers by its route stage alone."""

    Settings = RouterSettings
    has_provider = False


def router_plugin() -> ModuleType:
    """A plugin with a type that has targets instead of a provider."""
    module = ModuleType("router_plugin")

    def register_components(register: RegisterComponents) -> None:
        register.conversation("conversation.switch", Router)

    def provide_router(build: ChainBuild) -> Stage | None:
        if not isinstance(build.component, Router):
            return None
        targets: list[Handler] = [
            build.target(target["name"], setting=f"targets[{number}].name")
            for number, target in enumerate(build.component.settings.targets)
        ]
        return lambda _: targets[0]

    for function in (register_components, provide_router):
        setattr(module, function.__name__, hookimpl(function))
    return module


SWITCH = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: front
spec:
  type: conversation.switch
  metadata:
  - name: targets
    value:
    - name: small
    - name: big
"""


def checked(folder: Path, modules: Iterable[ModuleType] = ()) -> tuple[Problem, ...]:
    """What a check says."""
    plugins = load_plugins(builtins=(*BUILTINS, *modules))
    options = HostOptions(folders=(folder,), environment={})
    return asyncio.run(check_folders(options, plugins.component_types(), plugins)).problems


def routed(folder: Path, spec: str) -> list[tuple[str, str]]:
    """What a check says of a router with two targets, with this spec of a Resiliency manifest."""
    write(folder, small=component("small"), big=component("big"), front=SWITCH, calm=HEAD + spec)
    return [
        (problem.severity, str(problem).removeprefix(f"{folder}/")) for problem in checked(folder, [router_plugin()])
    ]


def test_check_warns_of_a_target_that_is_tried_for_ever(tmp_path: Path) -> None:
    """The warning stands where the router names the target; a policy with a number of repeats is in order."""
    retries = "  policies: {retries: {endless: {}, few: {maxRetries: 2}}}\n"
    targets = "  targets: {components: {small: {outbound: {retry: endless}}, big: {outbound: {retry: few}}}}\n"
    cause = "small is tried again without limit, by the retry policy endless: no other target is ever asked"
    assert routed(tmp_path, retries + targets) == [
        ("warning", f"front.yaml:10: spec.metadata.targets[0].name: {cause}; give that policy maxRetries")
    ]
    assert routed(tmp_path, retries + targets.replace("endless", "few")) == []


def test_check_counts_default_policies_too(tmp_path: Path) -> None:
    """They apply to the targets and not to the router."""
    found = routed(tmp_path, "  policies: {retries: {DefaultRetryPolicy: {maxRetries: -1}}}\n")
    assert [text.partition(": ")[0] for _, text in found] == ["front.yaml:10", "front.yaml:11"]


def test_a_retry_for_a_router_is_an_error_of_the_resiliency_manifest(tmp_path: Path) -> None:
    """A timeout is in order there."""
    policies = "  policies: {timeouts: {long: 60s}, retries: {few: {maxRetries: 2}}, circuitBreakers: {cb: {}}}\n"
    targets = "  targets: {components: {front: {outbound: {timeout: long%s}}}}\n"
    assert routed(tmp_path, policies + targets % "") == []
    found = routed(tmp_path, policies + targets % ", retry: few, circuitBreaker: cb")
    place = "calm.yaml:6: spec.targets.components.front.outbound"
    cause = "front is a router, which takes a timeout and nothing else; give the policy to the router's targets"
    assert found == [("error", f"{place}.{key}: {cause}") for key in ("retry", "circuitBreaker")]
