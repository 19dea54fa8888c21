"""The suite `stores`: a Valkey server that is killed, paused, full, cut off or says rubbish, under load.

Two hosts, as two replicas are, keep their replies in it. No request may fail or wait for long, an outage is told of
once by each host, its end too, and afterwards replies come out of the cache again.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from cached_load import CachedLoad
from figures import BrokenPromiseError, Figure
from process import Process, serving
from running import component, get_on
from store_relay import StoreRelay
from vitals import Vitals, vitals_of

from jackfield_redis.testing import ValkeyServer, needed_server

__all__ = ["OUTAGES", "torture"]

OUTAGES = ("killed", "paused", "full", "rubbish", "reset", "silent", "cut")
"""The last four happen to the connections on their way."""
_HOSTS = 2
_TIMEOUT = 1.0
"""Seconds that the store has for a call here; with the usual 50 ms a busy machine would look like an outage."""
_LASTS = 1.5
"""Seconds that an outage lasts after each host has noticed it."""
_SLOWEST = 3.0
"""Seconds that the slowest reply may take: two calls of the store, and a machine that is busy."""
_GROWTH = 10.0
"""Per cent by which a host's memory may grow from the end of the first outage of each kind on."""
_DOWN = "the cache's store doesn't work, and every request counts as a miss"
_UP = "the cache's store works again"
_PATIENCE = 30.0


def torture(*, seconds: float, seed: int, outages: Sequence[str] = OUTAGES, limit: float = _SLOWEST) -> list[Figure]:
    """Have one outage after the other, in an order drawn from the seed, each kind at least once.

    Args:
        seconds: how long, beside start and end.
        seed: what the order is drawn from.
        outages: the kinds.
        limit: seconds that the slowest reply may take.

    Raises:
        BrokenPromiseError: something happened that the docs rule out.
    """
    needed_server()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(ValkeyServer())
        relay = stack.enter_context(StoreRelay(server.port))
        url = f"redis://127.0.0.1:{relay.port}"
        (folder / "replies.yaml").write_text(component("replies", "cache.redis", url=url, timeout=f"{_TIMEOUT:g}s"))
        (folder / "llm.yaml").write_text(component("llm", cache="replies", cacheTTL="10m"))
        hosts = [stack.enter_context(serving(folder, "--plugins", "echo,redis")) for _ in range(_HOSTS)]
        _until(
            "the hosts become ready", lambda: all(get_on(each.port, "/v1.0/healthz").status == 204 for each in hosts)
        )
        load = stack.enter_context(CachedLoad(tuple(host.port for host in hosts), "llm"))
        return _Run(server, relay, hosts, load, limit).run(seconds, Random(seed), outages)


@dataclass
class _Run:
    server: ValkeyServer
    relay: StoreRelay
    hosts: list[Process]
    load: CachedLoad
    limit: float

    def run(self, seconds: float, random: Random, outages: Sequence[str]) -> list[Figure]:
        self._hits_again("before the first outage")
        end, had = time.monotonic() + seconds, 0
        slowest = longest = back = 0.0
        before: list[Vitals] = []
        order: list[str] = []
        while had < len(outages) or time.monotonic() < end:
            if not order:
                order = random.sample(outages, len(outages))
            outage = order.pop()
            self.load.forget()
            began = time.monotonic()
            took = self._outage(outage, had)
            longest, back = max(longest, time.monotonic() - began), max(back, took)
            slowest = max(slowest, self.load.forget())
            had += 1
            if had == len(outages):
                before = [vitals_of(host.popen.pid) for host in self.hosts]
        after = [vitals_of(host.popen.pid) for host in self.hosts]
        growth = max(new.memory / old.memory * 100 - 100 for new, old in zip(after, before, strict=True))
        if growth > _GROWTH:
            raise BrokenPromiseError(f"memory has grown by {growth:.1f} % in {had} outages")
        if slowest > self.limit:
            raise BrokenPromiseError(f"a request took {slowest:.2f} s while the store was away")
        hits = sum(self.load.hits())
        return [
            Figure("outages", f"{had}"),
            Figure("kinds of them", f"{len(outages)}", ", ".join(outages)),
            Figure("hosts", f"{len(self.hosts)}"),
            Figure("requests", f"{self.load.asked:,}"),
            Figure("of them failed", "0", "none"),
            Figure("of them out of the cache", f"{hits / self.load.asked:.0%}"),
            Figure(
                "slowest request; a call of the store has 1 s here", f"{slowest:.2f} s", f"at most {self.limit:g} s"
            ),
            Figure("warnings for each outage and host", "1", "1"),
            Figure("from the store's return to hits on both hosts, at most", f"{back:.1f} s"),
            Figure("most descriptors of a host", f"{max(len(each.descriptors) for each in after)}"),
            Figure("memory since all kinds were met once", f"{growth:+.1f} %", f"at most +{_GROWTH:g} %"),
        ]

    def _outage(self, outage: str, had: int) -> float:
        """Have one outage; gives how long it took until both hosts had replies out of the cache again."""
        self._begin(outage)
        what = f"outage {had + 1}, {outage}"
        _until(f"{what}: each host says that its store doesn't work", lambda: self._count(_DOWN) >= [had + 1] * _HOSTS)
        time.sleep(_LASTS)  # that it lasts is the case itself
        self._end(outage)
        ended = time.monotonic()
        self._hits_again(what)
        back = time.monotonic() - ended
        _until(f"{what}: each host says that its store works again", lambda: self._count(_UP) >= [had + 1] * _HOSTS)
        for said in (_DOWN, _UP):
            if self._count(said) != [had + 1] * _HOSTS:
                raise BrokenPromiseError(f"{what}: {said!r} was said {self._count(said)} times after {had + 1} outages")
        for host in self.hosts:
            if stranger := re.search(
                rf"{re.escape(_DOWN)}.*error=(?!StoreSilent|StoreFailure|TimeoutError)\S+", host.log
            ):
                raise BrokenPromiseError(f"{what}: the store's plugin doesn't tell what it is: {stranger[0]}")
        if self.load.failed:
            raise BrokenPromiseError(f"{what}: a request failed: {self.load.failed[0]}")
        return back

    def _begin(self, outage: str) -> None:
        server, relay = self.server, self.relay
        begins: dict[str, Callable[[], None]] = {
            "killed": server.kill,
            "paused": server.pause,
            "full": server.fill,
            "rubbish": partial(relay.turn, "rubbish"),
            "reset": partial(relay.turn, "reset"),
            "silent": partial(relay.turn, "silent"),
            "cut": partial(relay.turn, "cut"),
        }
        begins[outage]()

    def _end(self, outage: str) -> None:
        ends = {"killed": self.server.restart, "paused": self.server.resume, "full": self.server.make_room}
        ends.get(outage, partial(self.relay.turn, "open"))()

    def _count(self, said: str) -> list[int]:
        return [host.log.count(said) for host in self.hosts]

    def _hits_again(self, what: str) -> None:
        before = self.load.hits()
        _until(
            f"{what}: replies come out of the cache on both hosts",
            lambda: all(now > then + 20 for now, then in zip(self.load.hits(), before, strict=True)),
        )


def _until(what: str, condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > _PATIENCE:
            raise BrokenPromiseError(f"{what}: not within {_PATIENCE:g} s")
        time.sleep(0.02)  # a log and counts have no signal to wait for
