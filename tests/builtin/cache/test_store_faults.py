"""A store that fails, hangs, is full or holds rubbish, under load: every request is answered all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from time import perf_counter

import pytest
from running import Reply, RunningHost, component

from jackfield_redis.testing import ValkeyServer, needed_server
from upstream import running_upstream

LOAD = 120
BROKEN = "the cache's store doesn't work, and every request counts as a miss"
MENDED = "the cache's store works again"
SLACK = 2.0
"""Seconds that a request may take on a busy machine; a store that is waited for without limit takes far longer."""


@contextmanager
def shared_cache(folder: Path, timeout: str = "50ms") -> Iterator[tuple[RunningHost, ValkeyServer]]:
    """A host whose component keeps its replies in a real server, which has ``timeout`` for a call."""
    needed_server()
    with running_upstream() as upstream, ValkeyServer() as server:
        llm = component(
            "llm", "conversation.openai", key="k", endpoint=upstream.endpoint, cacheTTL="1h", cache="shared"
        )
        (folder / "all.yaml").write_text(
            f"{llm}---\n{component('shared', 'cache.redis', url=server.url, timeout=timeout)}"
        )
        with RunningHost(folder) as host:
            yield host, server


def loaded(host: RunningHost, change: Callable[[], None], name: str) -> list[tuple[Reply, float]]:
    """Send requests all the time, and change something in the middle of them."""

    def ask(number: int) -> tuple[Reply, float]:
        if number == LOAD // 3:
            change()
        started = perf_counter()
        reply = host.converse("llm", f"{name} {number % 80}")
        return reply, perf_counter() - started

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, range(LOAD)))


def outages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the cache has logged about its store."""
    return [record.message for record in caplog.records if record.name == "jackfield.cache"]


@pytest.mark.parametrize(
    ("fault", "mend"),
    [(ValkeyServer.kill, ValkeyServer.restart), (ValkeyServer.pause, ValkeyServer.resume)],
    ids=["killed", "paused"],
)
def test_no_request_is_lost_with_the_store(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fault: Callable[[ValkeyServer], None],
    mend: Callable[[ValkeyServer], None],
) -> None:
    """One warning for the outage, one line for the end, and the cache works again."""
    caplog.set_level(logging.INFO, "jackfield.cache")
    with shared_cache(tmp_path) as (host, server):
        assert [host.converse("llm").headers["x-jackfield-cache"] for _ in range(2)] == ["miss", "hit"]
        during = loaded(host, lambda: fault(server), "during")
        assert {reply.status for reply, _ in during} == {200}
        assert max(seconds for _, seconds in during) < SLACK
        assert outages(caplog) == [BROKEN]
        after = loaded(host, lambda: mend(server), "after")
        assert {reply.status for reply, _ in after} == {200}
        deadline = perf_counter() + 20
        for number in count():
            cached = [host.converse("llm", f"again {number}").headers["x-jackfield-cache"] for _ in range(2)]
            if cached == ["miss", "hit"] and len(outages(caplog)) > 1:
                break
            assert perf_counter() < deadline, "the cache did not come back"
        assert outages(caplog) == [BROKEN, MENDED]


def test_a_paused_store_costs_a_request_one_timeout(tmp_path: Path) -> None:
    """Its four calls of the store don't wait one after the other, neither at first nor when a call tries again."""
    timeout = 0.4
    with shared_cache(tmp_path, "400ms") as (host, server):
        host.converse("llm")
        server.pause()
        taken = []
        try:
            for number in range(60):
                started = perf_counter()
                reply = host.converse("llm", f"during {number}")
                taken.append(perf_counter() - started)
                assert (reply.status, reply.headers["x-jackfield-cache"]) == (200, "miss")
                if sum(seconds > timeout for seconds in taken) == 2:
                    break
                Event().wait(0.02)
        finally:
            server.resume()
    waited = [seconds for seconds in taken if seconds > timeout]
    assert len(waited) == 2
    assert max(waited) < 2 * timeout


def test_an_outage_that_only_hits_follow_is_seen_to_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The next one has its warning too, although nothing was kept between them."""
    caplog.set_level(logging.INFO, "jackfield.cache")
    with shared_cache(tmp_path, "400ms") as (host, server):
        host.converse("llm", "kept")
        for outage in (1, 2):
            server.pause()
            host.converse("llm", f"during {outage}")
            assert outages(caplog) == [BROKEN, MENDED] * (outage - 1) + [BROKEN]
            server.resume()
            deadline = perf_counter() + 20
            while len(outages(caplog)) < 2 * outage:
                assert host.converse("llm", "kept").status == 200
                assert perf_counter() < deadline, "the end of the outage was not noticed"
                Event().wait(0.05)


def test_a_full_store_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What can't be kept is answered; what was kept before still is a hit."""
    caplog.set_level(logging.INFO, "jackfield.cache")
    with shared_cache(tmp_path, "5s") as (host, server):
        host.converse("llm", "kept")
        during = loaded(host, server.fill, "full")
        assert {reply.status for reply, _ in during} == {200}
        assert host.converse("llm", "kept").headers["x-jackfield-cache"] == "hit"
        assert outages(caplog) == [BROKEN]


def test_rubbish_in_the_store_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A value that nobody here wrote is told once, and replaced by the reply."""
    caplog.set_level(logging.INFO, "jackfield.cache")
    with shared_cache(tmp_path, "5s") as (host, server):
        texts = ["one", "two", "three"]
        for text in texts:
            host.converse("llm", text)
        keys = server.keys()
        for key in keys:
            server.write(key, b"\xffrubbish")
        replies = [host.converse("llm", text) for text in texts * 2]
        assert [reply.headers["x-jackfield-cache"] for reply in replies] == ["miss"] * 3 + ["hit"] * 3
        assert outages(caplog) == ["the cache's store holds what can't be read, which counts as a miss"]


def test_a_store_that_is_down_from_the_start_keeps_nothing_from_being_served(tmp_path: Path) -> None:
    """Component and store load, and requests are answered."""
    with shared_cache(tmp_path) as (_, server):
        server.kill()
        (tmp_path / "second").mkdir()
        (tmp_path / "second" / "all.yaml").write_text((tmp_path / "all.yaml").read_text())
        with RunningHost(tmp_path / "second") as host:
            assert host.converse("llm").status == 200
