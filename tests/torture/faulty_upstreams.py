"""The suite `upstream`: servers that refuse, reset, hang, drip, lie and break off, at random, under every policy."""

from __future__ import annotations

import asyncio
import itertools
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import trustme

from faulty_book import Book, Hit, question
from faulty_call import Kind
from faulty_clients import FRONTS, Answer, Clients, clients
from faulty_components import COMPONENTS, LIMIT, ROUTERS, manifest, resiliency, router
from faulty_oracle import endings_of, routed, wrong
from faulty_site import TASKS_PATH, install_resolver
from figures import BrokenPromiseError, Figure
from jackfield.testing import FakeUpstream
from process import Process, serving

__all__ = ["torture"]

_AT_ONCE: Final = 24
_MARGIN: Final = 5.0
_STRANGER: Final = re.compile(r"torture (\d+) ")
_FORBIDDEN: Final = ("GHOST", "Traceback", 'File "')


@dataclass
class _Storm:
    """Requests that run at once, each with its own faults.

    Attributes:
        clients: who asks.
        book: who answers.
    """

    clients: Clients
    book: Book
    chance: Random
    asked: int = 0
    right: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    fronts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    calls: int = 0
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def blow(self, until: float) -> None:
        """Ask until a time of the clock."""
        names = [*COMPONENTS, *ROUTERS]

        async def one() -> None:
            while time.monotonic() < until:
                await self.ask(self.chance.choice(names), self.chance.choice(FRONTS))

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(one())

    async def ask(self, name: str, front: str) -> Answer:
        """Make one request and check all that is promised of it."""
        number = next(self.numbers)
        targets = ROUTERS.get(name, (name,))
        bound = sum(COMPONENTS[target].policy.seconds for target in targets) + _MARGIN
        try:
            async with asyncio.timeout(bound):
                answer = await self.clients.ask(front, name, question(number))
        except TimeoutError:
            raise BrokenPromiseError(f"request {number} of {name} over {front} had no answer in {bound:g} s") from None
        hits = self.book.close(number)
        stream = front.endswith("-stream")
        if name in ROUTERS:
            endings = routed(targets, hits, stream=stream, until=answer.ended)
        else:
            endings = endings_of(COMPONENTS[name].policy, hits, stream=stream, until=answer.ended)
        _check(answer, name, front, number, hits, wrong(answer, front, number, endings))
        self._count(answer, front, hits)
        return answer

    def _count(self, answer: Answer, front: str, hits: list[Hit]) -> None:
        self.asked += 1
        self.calls += len(hits)
        self.right += answer.done
        self.fronts[front] += 1
        self.slowest = max(self.slowest, answer.seconds)


def _check(answer: Answer, name: str, front: str, number: int, hits: list[Hit], fault: str) -> None:
    told = (
        ", ".join(f"{hit.component} {hit.fault.name}{' (kept connection)' * hit.reused}" for hit in hits) or "no call"
    )
    about = f"request {number} of {name} over {front} (met {told}; took {answer.seconds:.2f} s)"
    if fault:
        got = f"{answer.status} {answer.code} {answer.message!r} {answer.text!r} done={answer.done}"
        raise BrokenPromiseError(f"{about}: {fault}, but was {got}")
    if others := {int(found) for found in _STRANGER.findall(answer.raw)} - {number}:
        raise BrokenPromiseError(f"{about}: the answer has the text of request {others}")
    for words in (*_FORBIDDEN, *(provider.key for provider in COMPONENTS.values())):
        if words in answer.raw:
            raise BrokenPromiseError(f"{about}: the answer has {words!r} in it: {answer.raw[:2000]}")


def _write_manifests(folder: Path, plain: str, tls: str, authority: str) -> None:
    folder.mkdir()
    for name, provider in COMPONENTS.items():
        path = f"/{name}/v1"
        items: dict[str, object] = {
            "endpoint": (tls if provider.tls else plain) + path,
            "key": provider.key,
            "model": "m-1",
        }
        if provider.tls:
            items["caCert"] = authority
        (folder / f"{name}.yaml").write_text(manifest(name, provider.api, items))
    for name, targets in ROUTERS.items():
        (folder / f"{name}.yaml").write_text(router(name, targets))
    (folder / "resiliency.yaml").write_text(resiliency({name: one.policy for name, one in COMPONENTS.items()}))


async def _torture(seconds: float, seed: int, folder: Path) -> list[Figure]:
    book = Book(seed)
    authority = trustme.CA()
    context = __import__("ssl").create_default_context(__import__("ssl").Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    async with FakeUpstream(book) as plain, FakeUpstream(book, tls=context) as tls:
        _write_manifests(folder / "m", plain.address, tls.address, authority.cert_pem.bytes().decode())
        site = install_resolver(folder / "site")
        with serving(folder / "m", PYTHONPATH=str(site)) as process:
            address = (await asyncio.to_thread(process.wait_for, r'msg="serving gRPC".*?address=(\S+)'))[1]
            async with clients(process.url, address) as asking:
                storm = _Storm(asking, book, Random(seed))
                try:
                    await storm.blow(time.monotonic() + seconds)
                except* BrokenPromiseError as group:
                    raise group.exceptions[0] from None
    return [
        Figure("requests", str(storm.asked)),
        Figure("right", str(storm.right)),
        Figure("calls", str(storm.calls)),
        Figure("slowest", f"{storm.slowest:.2f} s"),
    ]


def torture(*, seconds: float, seed: int) -> list[Figure]:
    """Run the suite."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_torture(seconds, seed, Path(folder)))
