"""The suite `upstream`: servers that refuse, reset, hang, drip, lie and break off, at random, under every policy."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import trustme
from faulty_book import Book, question
from faulty_breakers import Patient, rounds, write_patients
from faulty_clients import FRONTS, Clients, clients
from faulty_components import BREAKER_SECONDS, COMPONENTS, ROUTERS, Grade, manifest, resiliency, router
from faulty_doors import Door, doors
from faulty_faults import LARGEST
from faulty_knocking import knock, write_doors
from faulty_site import TASKS_PATH, install_resolver
from faulty_storm import FORBIDDEN, MARGIN, Storm
from figures import BrokenPromiseError, Figure
from process import Process, serving
from vitals import vitals_of

from jackfield.testing import FakeUpstream

__all__ = ["torture"]

_APIS: Final = ("openai", "anthropic", "ollama")
_UNTOLD: Final = re.compile(FORBIDDEN.pattern + r"|torture \d+ |unexpected error|level=(error|critical)")
_MORE_MEMORY: Final = 16.0
_PATIENCE: Final = 20.0
_LONG: Final = 60.0
_KNOCKS: Final = 10_000_000
_ROUNDS: Final = 20_000_000


@dataclass
class _World:
    """Everything around the host.

    Attributes:
        book: the storm's upstream.
        patients: the upstreams of the breakers' rounds.
        doors: the servers that nobody reaches.
        folder: the manifests.
        site: the plugin.
    """

    book: Book
    patients: list[Patient]
    doors: list[Door]
    folder: Path
    site: Path


@dataclass(frozen=True)
class _Standing:
    """What a process has: tasks, sockets, descriptors, and MiB of resident memory."""

    tasks: int
    sockets: int
    descriptors: int
    memory: float

    @property
    def handles(self) -> tuple[int, int, int]:
        """All that must not grow at all."""
        return self.tasks, self.sockets, self.descriptors

    def within(self, goal: _Standing) -> bool:
        """Whether nothing is more than it was."""
        return all(mine <= its for mine, its in zip(self.handles, goal.handles, strict=True))


@asynccontextmanager
async def _world(seed: int, folder: Path) -> AsyncIterator[_World]:
    book, authority = Book(seed), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = authority.cert_pem.bytes().decode()
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(FakeUpstream(book))
        tls = await stack.enter_async_context(FakeUpstream(book, tls=context))
        patients = [Patient(api) for api in _APIS]
        wards = [await stack.enter_async_context(FakeUpstream(patient)) for patient in patients]
        opened = await stack.enter_async_context(doors(authority))
        manifests = folder / "manifests"
        manifests.mkdir()
        grades: dict[str, Grade] = {name: provider.policy for name, provider in COMPONENTS.items()}
        _write_components(manifests, plain.address, tls.address, trusted)
        grades |= write_patients(
            manifests, {patient.api: ward.endpoint for patient, ward in zip(patients, wards, strict=True)}
        )
        grades |= write_doors(manifests, opened, trusted)
        (manifests / "resiliency.yaml").write_text(resiliency(grades))
        yield _World(book, patients, opened, manifests, install_resolver(folder / "site"))


def _write_components(folder: Path, plain: str, tls: str, authority: str) -> None:
    for name, provider in COMPONENTS.items():
        endpoint = f"{tls if provider.tls else plain}/{name}/v1"
        items: Mapping[str, object] = {"endpoint": endpoint, "key": provider.key, "model": "m-1"}
        trust = {"caCert": authority} if provider.tls else {}
        (folder / f"{name}.yaml").write_text(manifest(name, provider.api, {**items, **trust}))
    for name, targets in ROUTERS.items():
        (folder / f"{name}.yaml").write_text(router(name, targets))


async def _rest(process: Process, world: _World, address: str, goal: _Standing | None = None) -> _Standing:
    """Have all that is kept for later let go, and look how the process stands then.

    Args:
        process: the host.
        world: what keeps connections to it.
        address: of its gRPC port.
        goal: what it is to come back to, for which it gets some time; without one, it is to stand still.
    """
    world.book.hang_up()
    for patient in world.patients:
        patient.hang_up()
    before, deadline = None, time.monotonic() + _PATIENCE
    while True:
        async with clients(process.url, address) as asking:
            tasks = int((await asking.json(TASKS_PATH))["tasks"])
            vitals = vitals_of(process.popen.pid)
        standing = _Standing(tasks, vitals.descriptors.count("socket"), len(vitals.descriptors), vitals.memory)
        there = standing.handles == before if goal is None else standing.within(goal)
        if there or time.monotonic() > deadline:
            return standing
        before = standing.handles
        await asyncio.sleep(0.3)


def _read_log(process: Process) -> None:
    for line in process.lines:
        if _UNTOLD.search(line):
            raise BrokenPromiseError(f"the log has a line that it must not have: {line}")


@asynccontextmanager
async def _host(world: _World, workers: int) -> AsyncIterator[tuple[Process, str]]:
    """Serve, and see at the end that the host stops in order and that its log tells nothing that it mustn't."""
    with serving(world.folder, "--workers", str(workers), PYTHONPATH=str(world.site)) as process:
        address = (await asyncio.to_thread(process.wait_for, r'msg="serving gRPC".*?address=(\S+)'))[1]
        yield process, address
        process.signal(signal.SIGTERM)
        if code := await asyncio.to_thread(process.exit_code):
            raise BrokenPromiseError(f"the host ended with code {code}: {process.log[-2000:]}")
        _read_log(process)


async def _warm_up(asking: Clients, storm: Storm, seconds: float) -> None:
    """Have everything happen once that takes memory or leaves a task: a look-up of a name never ends."""
    storm.book.forced = LARGEST
    for front in FRONTS[:3]:
        await storm.ask(asking, "openai-bare", front)
    storm.book.forced = None
    async with asyncio.TaskGroup() as group:
        group.create_task(asking.ask("alpha2", "door-slow-name", question(_KNOCKS - 1)))
        group.create_task(storm.blow(asking, time.monotonic() + seconds))


async def _with_one_worker(world: _World, storm: Storm, seconds: float) -> list[Figure]:
    async with _host(world, 1) as (process, address):
        async with clients(process.url, address) as asking:
            await _warm_up(asking, storm, seconds / 8)
        first = await _rest(process, world, address)
        until = time.monotonic() + seconds
        async with clients(process.url, address) as asking, asyncio.TaskGroup() as group:
            group.create_task(storm.blow(asking, until))
            knocks = group.create_task(knock(asking, world.book, world.doors, _KNOCKS))
            healed = group.create_task(rounds(asking, world.patients, storm.stalls, until=until, numbers=_ROUNDS))
        after = await _calm(world, storm, process, address)
        last = await _rest(process, world, address, first)
        if not last.within(first) or last.memory > first.memory + _MORE_MEMORY:
            raise BrokenPromiseError(f"the host has more than before the storm: {last}, before it {first}")
    return [
        Figure("requests to servers that can't be reached", str(knocks.result())),
        Figure("times a breaker opened and closed again", str(healed.result())),
        Figure("requests after the storm, all answered right", str(after)),
        Figure("memory after it, more than before", f"{last.memory - first.memory:.1f} MiB", f"{_MORE_MEMORY:g} MiB"),
        Figure("tasks after it, more than before", str(last.tasks - first.tasks), "none"),
        Figure("sockets after it, more than before", str(last.sockets - first.sockets), "none"),
    ]


async def _calm(world: _World, storm: Storm, process: Process, address: str) -> int:
    """Have the upstream well again; once the breakers have had their time, all components must answer."""
    world.book.well = True
    await asyncio.sleep(BREAKER_SECONDS)  # that is the promise
    async with clients(process.url, address) as asking:
        after = await storm.all_well(asking)
    world.book.well = False
    return after


async def _torture(seconds: float, seed: int, folder: Path) -> list[Figure]:
    async with _world(seed, folder) as world:
        storm = Storm(world.book, Random(seed))
        shared = seconds / 4 if seconds >= _LONG else 0.0
        others = await _with_one_worker(world, storm, seconds - shared)
        if shared:
            storm.one_worker = False
            world.book.closed.clear()
            async with _host(world, 2) as (process, address):
                async with clients(process.url, address) as asking:
                    await storm.blow(asking, time.monotonic() + shared)
                await _calm(world, storm, process, address)
        if world.book.strays:
            raise BrokenPromiseError(f"calls came that should not have: {set(world.book.strays)}")
    return [
        Figure("requests, each answered as the docs say", f"{storm.asked:,}"),
        Figure("kinds of faults that they met", str(len(world.book.met) - 1)),
        Figure("calls that they came to, all by the policies", f"{storm.calls:,}"),
        Figure("not judged, as this machine stood still", str(len(storm.stalls.excused))),
        Figure("answered right", f"{storm.right:,}"),
        Figure("answered by another target than the first", f"{storm.others:,}"),
        Figure("refused by an open breaker", f"{storm.refused:,}"),
        Figure("longest time beyond a request's limit", f"{storm.late:.2f} s", f"{MARGIN:g} s"),
        *others,
    ]


def torture(*, seconds: float, seed: int) -> list[Figure]:
    """Run the suite.

    Args:
        seconds: how long the storm is to last.
        seed: what requests and faults are drawn from.

    Raises:
        BrokenPromiseError: a promise isn't kept; the text says which, and what happened.
    """
    log = logging.getLogger("asyncio")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it tells of each handshake and connection that breaks, and here most do
    with tempfile.TemporaryDirectory() as folder:
        try:
            return asyncio.run(_torture(seconds, seed, Path(folder)))
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            log.setLevel(level)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Find the one that ended the others."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
