"""The suite `soak`: a million requests of every kind to one process, each reply checked, and what is left afterwards.

The same process answers whole and streamed, from the cache and from an upstream, refuses what is bad, and has clients
that leave. Its memory is compared with what it was after a tenth of the run; tasks, threads, sockets and files with
what they were before the first request.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import perf_counter

import uvloop
from figures import BrokenPromiseError, Figure
from process import serving
from raw_client import connected, get
from running import component
from soak_requests import FIRST, KINDS, LEAVING
from versioned_plugin import VITALS_PATH, install_versioned
from vitals import Vitals, socket_states, vitals_of

__all__ = ["torture"]

REQUESTS = 1_000_000
GROWTH = 5.0
"""Per cent by which the memory may grow from after warm-up to the end."""
_WARM_UP = 0.1
_CONNECTIONS = 24
_CACHE = "512Ki"
"""So small that it is full after the warm-up."""
_PATIENCE = 60.0
_LEFT = ("tasks", "threads", "sockets", "descriptors")


def torture(
    *, seconds: float, seed: int, requests: int = REQUESTS, growth: float = GROWTH, patient: bool = True
) -> list[Figure]:
    """Ask until all requests are made or the time is over.

    Args:
        seconds: how long at most.
        seed: what the order of the requests is drawn from.
        requests: how many at most.
        growth: per cent by which the memory may grow.
        patient: wait until the host itself closes what idles in its pool of connections; else the upstream ends first.

    Raises:
        BrokenPromiseError: a reply is wrong, the memory grows, or something is left.
    """
    with tempfile.TemporaryDirectory() as name, _upstream() as (upstream, end):
        folder = Path(name) / "manifests"
        folder.mkdir()
        site = install_versioned(Path(name) / "site")
        endpoint = f"http://127.0.0.1:{upstream}/v1"
        manifests = {
            "echo": component("echo"),
            "memory": component("memory", "cache.memory", maxSize=_CACHE),
            "kept": component("kept", cache="memory", responseCacheTTL="1h"),
            "llm": component("llm", "conversation.openai", key="k", endpoint=endpoint, model="mock"),
        }
        for file, text in manifests.items():
            (folder / f"{file}.yaml").write_text(text)
        with serving(folder, PYTHONPATH=str(site)) as process:
            run = _Run(process.port, process.popen.pid, seed, (lambda: None) if patient else end)
            try:
                return uvloop.run(run.run(seconds, requests, growth))
            except* BrokenPromiseError as group:
                raise _first(group) from None


def _first(group: BaseExceptionGroup[BrokenPromiseError]) -> BrokenPromiseError:
    error = group.exceptions[0]
    return error if isinstance(error, BrokenPromiseError) else _first(error)


@contextmanager
def _upstream() -> Iterator[tuple[int, Callable[[], None]]]:
    command = [sys.executable, str(Path(__file__).with_name("soak_upstream.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.terminate
        finally:
            process.terminate()


class _Run:
    """One run of the suite."""

    def __init__(self, port: int, pid: int, seed: int, over: Callable[[], None]) -> None:
        self.port, self.pid, self.over = port, pid, over
        draw = Random(seed)
        self.order: list[int | str] = [place for place, kind in enumerate(KINDS) for _ in range(kind.share)]
        self.order += [*LEAVING] * ((1000 - len(self.order)) // len(LEAVING))
        draw.shuffle(self.order)
        self.numbers = itertools.count(FIRST)
        self.asked: Counter[str] = Counter()
        self.hits = 0

    async def run(self, seconds: float, requests: int, growth: float) -> list[Figure]:
        await self._learn()
        before = await self._standing()
        began = perf_counter()
        until, last = began + seconds, FIRST + requests
        async with asyncio.TaskGroup() as group:
            for _ in range(_CONNECTIONS):
                group.create_task(self._ask(until, last))
            warm = await self._warm(began + seconds * _WARM_UP, FIRST + int(requests * _WARM_UP))
        took = perf_counter() - began
        late = vitals_of(self.pid)
        self.over()
        after = await self._standing(before)
        for what in _LEFT:
            if after[what] > before[what]:
                now = f"{after[what]} {what} instead of {before[what]}"
                raise BrokenPromiseError(f"{_PATIENCE:g} s after the last request there are {now}: {after}")
        short = f"; the time was over before {requests:,}" if self.asked.total() < requests else ""
        return self._figures(took, warm, late, growth, short)

    async def _learn(self) -> None:
        """Ask once for each kind, and take the form of its reply."""
        connection = await connected(self.port)
        for kind in KINDS:
            for _ in range(2):  # what is kept is told in another form the second time, if at all
                answer = await connection.ask(kind.request(FIRST))
                if wrong := kind.learn(answer, FIRST):
                    raise BrokenPromiseError(f"the first request of kind {kind.name!r}: {wrong}")
        connection.close()

    async def _ask(self, until: float, last: int) -> None:
        connection = await connected(self.port)
        order, asked = self.order, self.asked
        for number in self.numbers:
            if number >= last or perf_counter() > until:
                break
            place = order[number % len(order)]
            if isinstance(place, str):
                await self._leave(place, number)
                asked[place] += 1
                continue
            kind = KINDS[place]
            try:
                answer = await connection.ask(kind.request(number))
            except (ConnectionError, TimeoutError) as error:
                raise BrokenPromiseError(f"request {number - FIRST:,} ({kind.name}) failed: {error}") from error
            if wrong := kind.wrong(answer, number):
                raise BrokenPromiseError(f"request {number - FIRST:,} ({kind.name}): {wrong}")
            asked[kind.name] += 1
            self.hits += b"x-jackfield-cache: hit" in answer.head
        connection.close()

    async def _leave(self, how: str, number: int) -> None:
        connection = await connected(self.port)
        connection.send(LEAVING[how].replace(b"7777777", b"%d" % number))
        if how == "leaves within a stream":
            await connection.first_bytes()
        connection.close()

    async def _warm(self, until: float, last: int) -> Vitals:
        """Wait for the end of the warm-up, by the clock or by the count."""
        while perf_counter() < until and self.asked.total() < last - FIRST:
            await asyncio.sleep(0.1)
        return vitals_of(self.pid)

    async def _standing(self, before: dict[str, int] | None = None) -> dict[str, int]:
        """Count what there is, once it has come down to what there was."""
        watch, began = await connected(self.port), perf_counter()
        while True:
            facts = json.loads((await watch.ask(get(VITALS_PATH))).body)
            now = vitals_of(self.pid)
            counts = {
                "tasks": facts["tasks"],
                "threads": now.threads - facts["pool"],
                "sockets": socket_states(self.port).total(),
                "descriptors": len(now.descriptors),
            }
            come_down = before is None or all(counts[what] <= before[what] for what in _LEFT)
            if come_down or perf_counter() - began > _PATIENCE:
                watch.close()
                return counts
            await asyncio.sleep(0.2)

    def _figures(self, took: float, warm: Vitals, late: Vitals, growth: float, short: str) -> list[Figure]:
        grown = (late.memory / warm.memory - 1) * 100
        if grown > growth:
            text = f"the memory grew from {warm.memory:.1f} to {late.memory:.1f} MiB after warm-up, by {grown:.1f} %"
            raise BrokenPromiseError(text)
        total = self.asked.total()
        left = sum(self.asked[how] for how in LEAVING)
        figures = [
            Figure("requests", f"{total:,}", f"{total / took:,.0f} a second, {_CONNECTIONS} connections{short}"),
            Figure("replies checked", f"{total - left:,}"),
            Figure("failed or wrong", "0"),
        ]
        figures += [Figure(f"  {name}", f"{count:,}") for name, count in self.asked.most_common()]
        figures.append(Figure("  hits of the cache", f"{self.hits:,}"))
        figures.append(Figure("memory after warm-up", f"{warm.memory:.1f} MiB"))
        figures.append(Figure("memory at the end", f"{late.memory:.1f} MiB", f"{grown:+.1f} %, at most {growth:g} %"))
        return [*figures, *(Figure(f"{what} more than at the start", "0") for what in _LEFT)]
