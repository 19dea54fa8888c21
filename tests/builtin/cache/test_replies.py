"""The cache as clients and the provider see it: real hosts, and an upstream that counts its calls."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from process import serving
from running import Reply, RunningHost, component
from running import send as send_on

from jackfield.builtin.modules import BUILTINS
from jackfield.checking import check_folders
from jackfield.options import HostOptions
from jackfield.plugins.manager import load_plugins
from jackfield.testing import Exchange, chat
from jackfield_redis.testing import ValkeyServer, needed_server
from upstream import Upstream, running_upstream

TOGETHER = 200
TOOL = {"function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}


@contextmanager
def cached(folder: Path, **items: str) -> Iterator[tuple[RunningHost, Upstream]]:
    """A host with one cached component before a counting upstream."""
    with running_upstream() as upstream:
        manifest = component(
            "llm", "conversation.openai", key="k", endpoint=upstream.endpoint, model="m", **{"cacheTTL": "1h"} | items
        )
        (folder / "llm.yaml").write_text(manifest)
        with RunningHost(folder) as host:
            yield host, upstream


def body(text: str = "hello", **more: Any) -> dict[str, Any]:
    """An alpha2 request."""
    return {"inputs": [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}], **more}


def ask(host: RunningHost, request: dict[str, Any] | None = None, api: str = "alpha2", **headers: str) -> Reply:
    """Send a request to the component."""
    return host.request("POST", f"/v1.0-{api}/conversation/llm/converse", request or body(), **headers)


def test_the_second_of_two_equal_requests_is_answered_from_the_cache(tmp_path: Path) -> None:
    """One upstream call; the hit has the same body, and headers that tell what it is."""
    with cached(tmp_path) as (host, upstream):
        first, second = ask(host), ask(host)
        assert (first.status, first.body) == (second.status, second.body)
        assert [reply.headers["x-jackfield-cache"] for reply in (first, second)] == ["miss", "hit"]
        assert second.headers["age"] == "0"
        assert second.headers["x-jackfield-component"] == "llm"
        assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("request_ttl", "headers", "seen", "calls"),
    [
        ("0s", {}, "bypass", 2),
        (None, {"cache_control": "no-store"}, "bypass", 2),
        (None, {"cache_control": "max-age=0, No-Cache"}, "miss", 2),
        ("10m", {}, "hit", 1),
        (None, {}, "hit", 1),
    ],
)
def test_a_request_decides_over_the_cache(
    tmp_path: Path, request_ttl: str | None, headers: dict[str, str], seen: str, calls: int
) -> None:
    """A lifetime of 0 and the cache-control header pass the cache by, or have the reply made anew."""
    with cached(tmp_path) as (host, upstream):
        ask(host)
        reply = ask(host, body() if request_ttl is None else body(cacheTTL=request_ttl), **headers)
        assert (reply.headers["x-jackfield-cache"], len(upstream.requests)) == (seen, calls)


def test_a_request_can_ask_for_a_cache_that_the_manifest_has_not(tmp_path: Path) -> None:
    """Without any wish there is no cache and no header; with a request's own there is."""
    with cached(tmp_path, cacheTTL="0s") as (host, upstream):
        assert "x-jackfield-cache" not in ask(host).headers
        replies = [ask(host, body(cacheTTL="60s")) for _ in range(2)]
        assert [reply.headers["x-jackfield-cache"] for reply in replies] == ["miss", "hit"]
        assert len(upstream.requests) == 2


DIFFERENT: dict[str, dict[str, Any]] = {
    "text": body("other"),
    "temperature": body(temperature=0.5),
    "tool": body(tools=[TOOL]),
    "tool choice": body(tools=[TOOL], toolChoice="weather"),
    "schema": body(responseFormat={"type": "object", "properties": {"a": {"type": "string"}}}),
    "metadata": body(metadata={"a": "b"}),
    "stop": body(parameters={"stop": ["x"]}),
    "retention": body(promptCacheRetention="60s"),
}


def test_no_two_different_requests_share_an_entry(tmp_path: Path) -> None:
    """Each of the requests that differ in one thing is a miss, and each is a hit when it comes again."""
    with cached(tmp_path) as (host, upstream):
        assert ask(host).status == 200
        for name, request in DIFFERENT.items():
            assert ask(host, request).headers["x-jackfield-cache"] == "miss", name
        for name, request in DIFFERENT.items():
            assert ask(host, request).headers["x-jackfield-cache"] == "hit", name
        assert len(upstream.requests) == 1 + len(DIFFERENT)


@pytest.mark.parametrize(
    "spelling",
    [{"temperature": 0.5}, {"parameters": {"Temperature": 0.5}}, {"metadata": {"temperature": "0.5"}}],
)
def test_spellings_of_one_request_share_an_entry(tmp_path: Path, spelling: dict[str, Any]) -> None:
    """Settings are merged before the key is made; the context id and the lifetime are not in it."""
    with cached(tmp_path) as (host, upstream):
        ask(host, body(temperature=0.5))
        reply = ask(host, body(**spelling, contextId="other", cacheTTL="5m"))
        assert (reply.headers["x-jackfield-cache"], len(upstream.requests)) == ("hit", 1)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("cache", "other is a conversation.echo, not a cache store; name a component of a type cache.*"),
        ("scrubber", "other is a conversation.echo, not a scrubber; name a component of a type scrubber.*"),
    ],
)
def test_a_component_of_another_kind_is_told_with_what_to_name(tmp_path: Path, setting: str, text: str) -> None:
    """The problem stands at the line of the name."""
    (tmp_path / "other.yaml").write_text(component("other"))
    (tmp_path / "llm.yaml").write_text(component("llm", **{setting: "other"}))
    plugins = load_plugins(builtins=BUILTINS)
    options = HostOptions(folders=(tmp_path,), environment={})
    (problem,) = asyncio.run(check_folders(options, plugins.component_types(), plugins)).problems
    assert str(problem) == f"{tmp_path}/llm.yaml:10: spec.metadata.{setting}: {text}"


@pytest.mark.parametrize("name", ["llm", "front"])
@pytest.mark.parametrize("first", ["alpha1", "alpha2"])
def test_both_forms_of_the_api_share_an_entry(tmp_path: Path, first: str, name: str) -> None:
    """Only a type that answers each input by itself gives another reply to alpha1; a router's target is as others."""
    front = component("front", "conversation.router", targets=[{"name": "llm"}])  # type: ignore[arg-type]
    (tmp_path / "front.yaml").write_text(front)
    other = "alpha1" if first == "alpha2" else "alpha2"
    with cached(tmp_path) as (host, upstream):
        seen = [host.converse(name, api=api).headers["x-jackfield-cache"] for api in (first, other)]
        assert (seen, len(upstream.requests)) == (["miss", "hit"], 1)


def test_callers_are_parted_by_the_header_that_the_operator_names(tmp_path: Path) -> None:
    """Two tenants never see each other's replies."""
    with cached(tmp_path, cachePartitionHeader="X-Tenant") as (host, upstream):
        seen = [ask(host, x_tenant=name).headers["x-jackfield-cache"] for name in ("a", "b", "a", "b")]
        assert (seen, len(upstream.requests)) == (["miss", "miss", "hit", "hit"], 2)


def test_errors_are_not_kept(tmp_path: Path) -> None:
    """After a 500 the next request calls again."""

    async def fail(exchange: Exchange) -> None:
        await exchange.send(500, {"error": {"message": "no"}})

    with cached(tmp_path) as (host, upstream):
        upstream.behave(fail)
        assert ask(host).status == 500
        upstream.behave(chat)
        assert (ask(host).status, ask(host).headers["x-jackfield-cache"]) == (200, "hit")


def test_the_debug_header_explains_a_key_and_a_bypass(tmp_path: Path) -> None:
    """Equal keys for equal requests, and the reason of a bypass; nobody is told who doesn't ask."""
    with cached(tmp_path) as (host, _):
        first, second = ask(host, x_jackfield_debug="1"), ask(host, x_jackfield_debug="1")
        assert first.headers["x-jackfield-cache-key"] == second.headers["x-jackfield-cache-key"]
        assert first.headers["x-jackfield-cache-note"] == "kept%20for%203600%20s".replace("%20", " ")
        assert (
            ask(host, body(cacheTTL="0s"), x_jackfield_debug="1").headers["x-jackfield-cache-note"] == "cacheTTL is 0"
        )
        assert "x-jackfield-cache-key" not in ask(host).headers


def test_an_edit_that_changes_no_answers_keeps_the_entries(tmp_path: Path) -> None:
    """Another lifetime keeps what is kept; another model doesn't share it."""
    with cached(tmp_path) as (host, upstream):
        ask(host)
        manifest = (tmp_path / "llm.yaml").read_text()
        for text, seen in ((manifest.replace('"1h"', '"2h"'), "hit"), (manifest.replace('"m"', '"m2"'), "miss")):
            before = host.host.catalog.generation
            (tmp_path / "llm.yaml").write_text(text)
            while host.host.catalog.generation == before:
                host.loop.call_soon_threadsafe(host.host.rescan)
                time.sleep(0.02)
            assert ask(host).headers["x-jackfield-cache"] == seen
        assert len(upstream.requests) == 2


@pytest.mark.parametrize("switch", ["manifest", "option"])
def test_the_cache_can_be_switched_off(tmp_path: Path, switch: str) -> None:
    """`cache: none` for one component, `--no-cache` (the plugin denied) for all."""
    with running_upstream() as upstream:
        items = {"cache": "none"} if switch == "manifest" else {}
        text = component("llm", "conversation.openai", key="k", endpoint=upstream.endpoint, cacheTTL="1h", **items)
        (tmp_path / "llm.yaml").write_text(text)
        options: dict[str, Any] = {} if switch == "manifest" else {"deny_plugins": ("builtin.cache",)}
        with RunningHost(tmp_path, options=options) as host:
            assert ["x-jackfield-cache" in ask(host).headers for _ in range(2)] == [False, False]
        assert len(upstream.requests) == 2


def together(asks: list[Callable[[], Reply]]) -> list[Reply]:
    """Send requests at once."""
    with ThreadPoolExecutor(len(asks)) as pool:
        return [future.result() for future in [pool.submit(one) for one in asks]]


async def slow(exchange: Exchange) -> None:
    """Answer late, so that everybody has come by then."""
    await asyncio.sleep(1)
    await chat(exchange)


def test_many_equal_requests_at_once_are_one_call(tmp_path: Path) -> None:
    """200 at the same time: the upstream counts one, one reply is a miss and the others say whose it is."""
    with cached(tmp_path) as (host, upstream):
        upstream.behave(slow)
        replies = together([lambda: ask(host)] * TOGETHER)
        assert len(upstream.requests) == 1
        assert {reply.status for reply in replies} == {200}
        assert len({reply.body for reply in replies}) == 1
        seen = [reply.headers["x-jackfield-cache"] for reply in replies]
        assert seen.count("miss") == 1
        assert set(seen) <= {"miss", "coalesced", "hit"}


def test_many_equal_requests_to_two_processes_are_one_call(tmp_path: Path) -> None:
    """Two hosts that share a real Valkey call the provider once between them."""
    needed_server()
    with running_upstream(slow) as upstream, ValkeyServer() as server:
        llm = component(
            "llm", "conversation.openai", key="k", endpoint=upstream.endpoint, cacheTTL="1h", cache="shared"
        )
        store = component("shared", "cache.redis", url=server.url, timeout="2s")
        (tmp_path / "all.yaml").write_text(f"{llm}---\n{store}")
        with serving(tmp_path) as one, serving(tmp_path) as other:
            hosts = [one.port, other.port]

            def send(port: int) -> Reply:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                try:
                    return send_on(connection, "POST", "/v1.0-alpha2/conversation/llm/converse", body())
                finally:
                    connection.close()

            replies = together([partial(send, port) for port in hosts * (TOGETHER // 2)])
        assert {reply.status for reply in replies} == {200}
        assert len(upstream.requests) == 1
        assert [reply.headers["x-jackfield-cache"] for reply in replies].count("miss") == 1
