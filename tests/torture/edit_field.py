"""The host under edits, as the lanes see it: one edit at a time in each, and how soon every worker follows."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from edit_ledger import Ledger
from figures import BrokenPromiseError
from raw_client import Connection, LostConnection, connected, get, post
from versioned_plugin import VITALS_PATH

__all__ = ["Field", "Probe", "converse"]

PATIENCE = 15.0
_MANY = 400
_PAUSE = 0.012
_BODY = b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"which?"}]}}]}]}'


def converse(name: str) -> bytes:
    """Write the request that asks a component for its version."""
    return post(f"/v1.0-alpha2/conversation/{name}/converse", _BODY)


class Probe:
    """A connection to one worker.

    Attributes:
        pid: the worker's process.
    """

    def __init__(self, connection: Connection, pid: int) -> None:
        self.connection = connection
        self.pid = pid

    async def json(self, path: str) -> Any:
        """Get a JSON document."""
        answer = await self.connection.ask(get(path))
        return json.loads(answer.body)


@dataclass
class Field:
    """Everything that edits and requests share.

    Attributes:
        ledger: what may be answered.
        port: where the host listens.
        workers: its workers' processes.
        delays: seconds from the end of each valid edit to its first answer, one for each worker.
        secret_delays: the same of changed secrets, which are looked at once a second.
        slow: the edits that took longest, with their delay.
        edits: how many edits there were, by kind.
        refused: how many of them were bad and named as such.
        waiting: the edits that aren't live yet, and since when.
    """

    ledger: Ledger
    port: int = 0
    workers: tuple[int, ...] = ()
    delays: list[float] = field(default_factory=list)
    secret_delays: list[float] = field(default_factory=list)
    slow: list[tuple[float, str]] = field(default_factory=list)
    edits: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    waiting: dict[str, float] = field(default_factory=dict)

    async def probes(self) -> list[Probe]:
        """Connect to each worker; the kernel says which one takes a connection, so it may need several."""
        found: dict[int, Probe] = {}
        others = []
        for _ in range(_MANY):
            connection = await connected(self.port)
            pid = json.loads((await connection.ask(get(VITALS_PATH))).body)["pid"]
            if pid not in self.workers:
                raise BrokenPromiseError(f"worker {pid} was none of the first ones: {self.workers}")
            if pid in found:
                others.append(connection)
            else:
                found[pid] = Probe(connection, pid)
            if len(found) == len(self.workers):
                break
        for connection in others:
            connection.close()
        if len(found) < len(self.workers):
            raise BrokenPromiseError(f"of {_MANY} connections all went to {sorted(found)}")
        return [found[pid] for pid in self.workers]

    async def check(self, probe: Probe, name: str) -> None:
        """Ask a component for its version."""
        ticket = self.ledger.asked(name)
        try:
            answer = await probe.connection.ask(converse(name))
        except (LostConnection, TimeoutError) as error:
            raise BrokenPromiseError(f"a request for {name} failed: {error}") from error
        self.ledger.answered(ticket, answer, probe.pid)

    async def live(
        self, edit: str, places: Mapping[str, int], probes: list[Probe], delays: list[float], *, since: float
    ) -> None:
        """Wait until every worker answers with an edit's new versions, and note how long that took for each."""

        async def follow(probe: Probe) -> float:
            for name, place in places.items():
                while not self.ledger.has(name, probe.pid, place):
                    await self.check(probe, name)
                    if self.ledger.has(name, probe.pid, place):
                        break
                    if perf_counter() - since > PATIENCE:
                        raise BrokenPromiseError(f"{edit}: {self._overdue(probe.pid, name)}")
                    await asyncio.sleep(_PAUSE)  # asking faster would take the CPU that the edit needs
            return perf_counter() - since

        self.waiting[edit] = since
        for delay in await asyncio.gather(*map(follow, probes)):
            delays.append(delay)
            if delays is self.delays:
                self.slow = sorted([*self.slow, (delay, edit)], reverse=True)[:5]

        del self.waiting[edit]

    def _overdue(self, pid: int, name: str) -> str:
        late = [f"{perf_counter() - since:.1f} s: {edit}" for edit, since in self.waiting.items()]
        version = self.ledger.version(name)
        return f"worker {pid} has no version {version} of {name} in {PATIENCE:g} s; all that wait: {'; '.join(late)}"

    async def named(self, edit: str, probe: Probe, wanted: Callable[[Mapping[str, Any]], str]) -> None:
        """Wait until the metadata document says of a bad edit what it should.

        Args:
            edit: names it.
            probe: where to ask.
            wanted: gives what is missing from the document's member ``jackfield``; nothing if all is there.
        """
        began = perf_counter()
        while missing := wanted((await probe.json("/v1.0/metadata"))["jackfield"]):
            if perf_counter() - began > PATIENCE:
                raise BrokenPromiseError(f"{edit}: {missing}")
            await asyncio.sleep(0.02)
        self.refused += 1
