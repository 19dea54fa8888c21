"""The suite `reload`: edits of every kind, many lanes of them at once, under constant load and with two workers.

Each component answers with its manifest's version, its worker's process and the number of its instance, and a ledger
knows which versions may come: a request that fails, an answer from a version that is over or was never valid, or an
edit that isn't followed breaks the promise. Everything is drawn from the seed, lane by lane.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import NamedTuple

import uvloop
from edit_field import Field, Probe, converse
from edit_folders import ConfigMap, LinkedFolder, VanishingFolder
from edit_kinds import Files
from edit_lane import Lane
from edit_ledger import Ledger
from edit_values import Policies, Secrets
from figures import BrokenPromiseError, Figure
from process import Process, serving
from raw_client import connected
from versioned_plugin import VITALS_PATH, install_versioned
from vitals import vitals_of

__all__ = ["torture"]

WORKERS = 2
LIMIT = 0.2
"""Seconds in which an edit is live, as the docs promise."""
GROWTH = 8.0
"""Per cent by which a worker's resident memory may grow from after warm-up to the end, its free pages handed back.

Manifests of a megabyte leave pages of which little is used. So the blocks that Python has in use are counted too: they
may grow by a quarter of that, which thousands of edits that each left one behind would exceed.
"""
_OF_BLOCKS = 0.25
_WARM_UP = 1 / 3
_KEPT_ALIVE, _FRESH = 6, 2
_PATIENCE = 30.0
_LAST_WORDS = 5
_LOOKS = 8


def torture(*, seconds: float, seed: int, lanes: int = 4, limit: float = LIMIT, growth: float = GROWTH) -> list[Figure]:
    """Edit and ask for some seconds.

    Args:
        seconds: how long, beside start and end.
        seed: what the edits are drawn from.
        lanes: how many lanes edit single files, beside those of folders, policies and secrets.
        limit: seconds in which 99 of 100 edits have to be live.
        growth: per cent by which memory may grow.

    Raises:
        BrokenPromiseError: something happened that the docs rule out.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        site = install_versioned(root / "site")
        field = Field(Ledger())
        folders = [root / "manifests", root / "mounted", root / "linked", root / "vanishing"]
        folders[0].mkdir()
        files, mounted, linked, vanishing = folders
        moving: list[Lane] = [Files(field, files, f"f{number}", seed) for number in range(1, lanes + 1)]
        moving += [ConfigMap(field, mounted, "map", seed), LinkedFolder(field, linked, "link", seed)]
        moving += [VanishingFolder(field, vanishing, "away", seed)]
        moving += [Policies(field, files, "policy", seed), Secrets(field, files, "secrets", seed)]
        for lane in moving:
            lane.prepare()
        more = [argument for folder in folders[1:] for argument in ("--manifests", str(folder))]
        with serving(files, *more, "--workers", str(WORKERS), PYTHONPATH=str(site)) as process:
            try:
                return uvloop.run(_Run(process, field, moving, seed).run(seconds, limit=limit, growth=growth))
            except* BrokenPromiseError as group:
                words = "".join(process.lines[-_LAST_WORDS:])
                raise BrokenPromiseError(f"{_first(group)}\nthe host's last words:\n{words}") from None


def _first(group: BaseExceptionGroup[BrokenPromiseError]) -> BrokenPromiseError:
    for error in group.exceptions:
        return error if isinstance(error, BrokenPromiseError) else _first(error)
    raise AssertionError("a group of nothing")


class _Run:
    """One run of the suite."""

    def __init__(self, process: Process, field: Field, lanes: Sequence[Lane], seed: int) -> None:
        self.process, self.field, self.lanes, self.seed = process, field, lanes, seed
        self.ending = asyncio.Event()

    async def run(self, seconds: float, *, limit: float, growth: float) -> list[Figure]:
        field = self.field
        await self._started()
        quiet = await self._rest()
        for lane in self.lanes:
            lane.probes = await field.probes()
        async with asyncio.TaskGroup() as group:
            for number in range(_KEPT_ALIVE + _FRESH):
                group.create_task(self._ask(number))
            for lane in self.lanes:
                group.create_task(self._edit(lane))
            warm = await self._memory_after(seconds * _WARM_UP)
            late = await self._memory_after(seconds * (1 - _WARM_UP))
            self.ending.set()
        for lane in self.lanes:
            for probe in lane.probes:
                probe.connection.close()
        rest = await self._rest(quiet)
        return [*self._edits(limit), *_grown(warm, late, growth), *_flat(quiet, rest)]

    async def _started(self) -> None:
        """Wait until both workers serve all components."""
        field = self.field
        field.port = self.process.port
        began, started = perf_counter(), set[int]()
        while len(started) < WORKERS:
            if perf_counter() - began > _PATIENCE:
                raise BrokenPromiseError(f"{len(started)} of {WORKERS} workers started within {_PATIENCE:g} s")
            await asyncio.sleep(0.05)
            started = {int(pid) for pid in re.findall(r"worker started.* pid=(\d+)", self.process.log)}
        field.workers = field.ledger.workers = tuple(started)
        for probe in await field.probes():
            for name in field.ledger.names:
                await field.check(probe, name)
            probe.connection.close()

    async def _ask(self, number: int) -> None:
        """Ask all components in random order, over one connection or over many."""
        draw = Random(f"{self.seed} asker {number}")
        fresh = number >= _KEPT_ALIVE
        connection, pid = await connected(self.field.port), None
        while not self.ending.is_set():
            name = draw.choice(self.field.ledger.names)
            ticket = self.field.ledger.asked(name)
            try:
                answer = await connection.ask(converse(name))
            except (ConnectionError, TimeoutError) as error:
                raise BrokenPromiseError(f"a request for {name} failed: {error}") from error
            pid = self.field.ledger.answered(ticket, answer, pid)
            if fresh:
                connection.close()
                connection, pid = await connected(self.field.port), None
            await asyncio.sleep(draw.uniform(0.001, 0.01))
        connection.close()

    async def _edit(self, lane: Lane) -> None:
        while not self.ending.is_set():
            await lane.step()

    async def _memory_after(self, seconds: float) -> list[_Memory]:
        await asyncio.sleep(seconds)
        watch = await self.field.probes()
        found = []
        for probe in watch:
            # A manifest of a megabyte that is just being read is no growth.
            looks = [(await probe.json(VITALS_PATH))["blocks"] for _ in range(_LOOKS)]
            found.append(_Memory(probe.pid, vitals_of(probe.pid).memory, min(looks)))
            probe.connection.close()
        return found

    async def _rest(self, before: list[_Standing] | None = None) -> list[_Standing]:
        """Count what each worker has, once it has come down to what it had."""
        watch, began = await self.field.probes(), perf_counter()
        while True:
            counts = [await _standing(probe) for probe in watch]
            come_down = before is None or not any(map(_more, before, counts))
            if come_down or perf_counter() - began > _PATIENCE:
                for probe in watch:
                    probe.connection.close()
                return counts
            await asyncio.sleep(0.1)

    def _edits(self, limit: float) -> list[Figure]:
        field = self.field
        p99 = _quantile(field.delays, 0.99)
        if p99 > limit:
            slow = "; ".join(f"{delay * 1000:.0f} ms: {edit}" for delay, edit in field.slow)
            raise BrokenPromiseError(
                f"99 of 100 edits were live within {p99 * 1000:.0f} ms, not {limit * 1000:.0f}: {slow}"
            )
        for line in self.process.lines:
            if "Traceback" in line or "please report this" in line or "worker died" in line:
                raise BrokenPromiseError(f"the log has {line.strip()}")
        bad = sum(count for kind, count in field.edits.items() if kind.startswith("bad"))
        kinds = f"of {len(field.edits)} kinds, {len(self.lanes)} at once"
        live = "edits live in all workers"
        paused = sum(lane.pauses for lane in self.lanes)
        return [
            Figure("edits", f"{field.edits.total():,}", kinds),
            Figure("bad ones effective", "0", f"of {bad:,}; each named with file and reason"),
            Figure("edits paused by this machine", f"{paused:,}", "their components may be gone for a moment"),
            Figure(
                "requests",
                f"{field.ledger.answers:,}",
                f"{field.ledger.gone:,} for what was deleted; {WORKERS} workers",
            ),
            Figure("failed or wrong", "0"),
            Figure(f"{live}, p50", f"{_quantile(field.delays, 0.5) * 1000:.0f} ms"),
            Figure(f"{live}, p99", f"{p99 * 1000:.0f} ms", f"at most {limit * 1000:.0f} ms"),
            Figure(f"{live}, slowest", f"{max(field.delays) * 1000:.0f} ms"),
            Figure("secrets live in all workers, slowest", f"{max(field.secret_delays) * 1000:.0f} ms"),
        ]


class _Memory(NamedTuple):
    """What a worker takes: resident MiB, and how many blocks Python has given out after a collection."""

    pid: int
    resident: float
    blocks: int


def _grown(warm: list[_Memory], late: list[_Memory], growth: float) -> list[Figure]:
    figures = []
    for number, (before, after) in enumerate(zip(warm, late, strict=True), 1):
        resident = (after.resident / before.resident - 1) * 100
        blocks = (after.blocks / before.blocks - 1) * 100
        if resident > growth or blocks > growth * _OF_BLOCKS:
            text = f"the memory of worker {before.pid} grew by {resident:.1f} % from {before.resident:.1f} MiB"
            raise BrokenPromiseError(f"{text}, and what is in use by {blocks:.2f} % from {before.blocks:,} blocks")
        since = "since warm-up, at most"
        memory = f"{resident:+.1f} % {since} {growth:g} %"
        figures.append(Figure(f"memory of worker {number}", f"{after.resident:.0f} MiB", memory))
        figures.append(
            Figure("  blocks in use", f"{after.blocks:,}", f"{blocks:+.2f} % {since} {growth * _OF_BLOCKS:g} %")
        )
    return figures


class _Standing(NamedTuple):
    """What a worker has at a moment of rest."""

    pid: int
    counts: dict[str, int]
    alive: list[str]


async def _standing(probe: Probe) -> _Standing:
    facts = await probe.json(VITALS_PATH)
    now = vitals_of(probe.pid)
    counts = {
        "tasks": facts["tasks"],
        # The event loop's own pool is bounded, and has as many threads as were ever busy at once.
        "threads": now.threads - facts["pool"],
        "instances": facts["instances"],
        "descriptors": len(now.descriptors),
    }
    return _Standing(probe.pid, counts, facts["alive"])


def _more(before: _Standing, after: _Standing) -> list[str]:
    then = before.counts
    return [f"{count} {what} instead of {then[what]}" for what, count in after.counts.items() if count > then[what]]


def _flat(before: list[_Standing], after: list[_Standing]) -> list[Figure]:
    for then, now in zip(before, after, strict=True):
        if more := _more(then, now):
            raise BrokenPromiseError(f"worker {now.pid} keeps {', '.join(more)} after the last edit: {now.alive}")
    in_all = {what: sum(now.counts[what] for now in after) for what in after[0].counts}
    return [Figure(f"{what} more than before the first edit", "0", f"{count} in all") for what, count in in_all.items()]


def _quantile(delays: Sequence[float], share: float) -> float:
    ordered = sorted(delays)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
