"""The storm itself: requests at once over every front end, each with faults of its own and all its promises checked."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from faulty_book import Book, Hit, answer_to, question
from faulty_call import Kind
from faulty_clients import FRONTS, Answer, Clients
from faulty_components import COMPONENTS, ROUTERS
from faulty_oracle import WORDS, endings_of, routed, wrong
from faulty_stalls import Stalls
from figures import BrokenPromiseError

__all__ = ["FORBIDDEN", "MARGIN", "Storm"]

_AT_ONCE: Final = 24
_STRANGER: Final = re.compile(r"torture (\d+) ")
_OPEN_FOR: Final = re.compile(r"circuit breaker is open: guard-(\S+) lets the next call through in ([0-9.]+)(ms|s),")
_ON_ITS_WAY: Final = 0.4
_BUSY: Final = 3
_LATE_CALLS: Final = 1.0

MARGIN: Final = 10.0
"""Seconds beside the policies' own for which a busy machine is excused."""

FORBIDDEN: Final = re.compile(
    "|".join(["GHOST", "Traceback", r'File \\?"', *(re.escape(provider.key) for provider in COMPONENTS.values())])
)
"""What no answer and no log may hold: another's answer, a traceback, a key."""


class _Asked(NamedTuple):
    """A request: of which component, over which front end, its number, and when."""

    name: str
    front: str
    number: int
    began: float


@dataclass
class Storm:
    """Asks, checks and counts.

    Attributes:
        book: who answers.
        chance: what the requests are drawn from.
        one_worker: breakers are one process's, so that one's refusal holds for all calls.
        stalls: when the suite itself stood still.
        asked: how many requests there were.
        right: how many got the right answer.
        calls: how many calls of the upstream they came to.
        refused: how many were refused by an open breaker.
        others: how many were answered by another target than a router's first.
        late: by how many seconds at most a request took longer than its policies' limits come to.
        fronts: requests by front end.
    """

    book: Book
    chance: Random
    one_worker: bool = True
    stalls: Stalls = field(default_factory=Stalls)
    asked: int = 0
    right: int = 0
    calls: int = 0
    refused: int = 0
    others: int = 0
    late: float = 0.0
    fronts: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def blow(self, clients: Clients, until: float) -> None:
        """Ask until a time of the clock."""
        names = [*COMPONENTS, *ROUTERS]

        async def asker() -> None:
            while time.monotonic() < until:
                await self.ask(clients, self.chance.choice(names), self.chance.choice(FRONTS))

        async with self.stalls.watched(), asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(asker())

    async def ask(self, clients: Clients, name: str, front: str) -> Answer:
        """Make one request and check all that is promised of it.

        Raises:
            BrokenPromiseError: it isn't kept.
        """
        number, targets = next(self.numbers), ROUTERS.get(name, (name,))
        limit = sum(COMPONENTS[target].policy.seconds for target in targets)
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit + MARGIN):
                answer = await clients.ask(front, name, question(number))
        except TimeoutError:
            text = f"request {number} of {name} over {front} had no answer within {limit:g} s and {MARGIN:g} more"
            raise BrokenPromiseError(text) from None
        hits = self.book.close(number)
        asked = _Asked(name, front, number, began)
        fault = self._fault(asked, answer, hits)
        if fault:
            # A call that the host has given up may arrive late on a machine that is busy, or this process stood still.
            await asyncio.sleep(_LATE_CALLS)
            later = self.book.close(number)
            about = f"request {number} of {name} over {front} (met {_told([*hits, *later], began)})"
            explained = later and not self._fault(asked, answer, [*hits, *later])
            if not self.stalls.excuse(began, answer.ended, about, certainly=bool(explained)):
                got = f"{answer.status} {answer.code} {answer.message!r} {answer.text!r} done={answer.done}"
                took = f"after {answer.seconds:.2f} s"
                raise BrokenPromiseError(f"{about}: {fault}, but was {got} {took}")
        if FORBIDDEN.search(answer.raw) or {int(found) for found in _STRANGER.findall(answer.raw)} - {number}:
            raise BrokenPromiseError(
                f"request {number} of {name} over {front}: it has what it mustn't: {answer.raw[:2000]}"
            )
        self._note_open(answer, began)
        self._count(answer, front, hits, targets, limit)
        return answer

    def _fault(self, asked: _Asked, answer: Answer, hits: Sequence[Hit]) -> str:
        """Say what is wrong with an answer, given the calls that the upstream got; empty if nothing is."""
        stream, since, until = asked.front.endswith("-stream"), asked.began, answer.ended
        if asked.name in ROUTERS:
            endings = routed(ROUTERS[asked.name], hits, stream=stream, since=since, until=until)
        else:
            endings = endings_of(COMPONENTS[asked.name].policy, hits, stream=stream, since=since, until=until)
        return wrong(answer, asked.front, asked.number, endings) or self._misserved(answer, hits)

    def _misserved(self, answer: Answer, hits: Sequence[Hit]) -> str:
        """Say whether another component is named than the one that has answered."""
        if not answer.done or not answer.served or answer.served == hits[-1].component:
            return ""
        return f"{hits[-1].component} should be named as the one that answered, not {answer.served}"

    def _note_open(self, answer: Answer, began: float) -> None:
        """Have the book look out for calls that come although a breaker is open."""
        found = _OPEN_FOR.search(answer.message)
        if found is None:
            return
        self.refused += 1
        seconds = float(found[2]) / (1000 if found[3] == "ms" else 1)
        if self.one_worker:
            self.book.closed[found[1]] = answer.ended + _ON_ITS_WAY, began + seconds

    def _count(self, answer: Answer, front: str, hits: Sequence[Hit], targets: Sequence[str], limit: float) -> None:
        self.asked += 1
        self.calls += len(hits)
        self.right += answer.done
        self.others += answer.done and len(targets) > 1 and hits[-1].component != targets[0]
        self.fronts[front] += 1
        self.late = max(self.late, answer.seconds - limit)

    async def all_well(self, clients: Clients) -> int:
        """Ask every component over every front end of a well upstream; gives the number of requests.

        Raises:
            BrokenPromiseError: one isn't answered right.
        """

        async def one(name: str) -> None:
            for front in FRONTS:
                for _ in range(_BUSY):
                    number = next(self.numbers)
                    answer = await clients.ask(front, name, question(number))
                    self.book.close(number)
                    if not WORDS[Kind.LATE].search(answer.message):  # so many at once are too much for a busy machine
                        break
                if not answer.done or answer.text != answer_to(question(number)):
                    raise BrokenPromiseError(f"after the storm {name} over {front} doesn't answer: {answer}")

        names = [*COMPONENTS, *ROUTERS]
        await asyncio.gather(*map(one, names))
        return len(names) * len(FRONTS)


def _told(hits: Sequence[Hit], began: float) -> str:
    """Tell a request's calls in words."""
    met = (
        f"{hit.component} {hit.fault.name}{', kept connection' * hit.reused}, after {hit.at - began:.2f} s"
        for hit in hits
    )
    return "; ".join(met) or "no call"
