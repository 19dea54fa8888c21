"""A worker's side of what it shares with its peers, so that each can answer for all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jackfield.catalog.catalog import Catalog
from jackfield.errors import JackfieldError
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.serving.board import RELOADING
from jackfield.serving.frames import Applied, Extended, FromWorker, MetadataSet, SetMetadata, View
from jackfield.serving.reporter import Reporter

__all__ = ["NotShared", "Peers"]

_SHARE_LIMIT = 3.0
"""Seconds for which a value may be under way: an event loop that is busy for longer is stuck."""


class NotShared(JackfieldError):
    """A value did not reach every worker in time."""


class Peers:
    """What this worker tells its peers, and what it knows of them.

    Args:
        worker: this worker's number.
        send: sends a frame to the parent.

    Attributes:
        worker: this worker's number.
        extended: the metadata document's ``extended`` values, the same in all workers.
    """

    def __init__(self, worker: int, send: Callable[[FromWorker], None]) -> None:
        self.worker = worker
        self.extended: Mapping[str, str] = {}
        self._send = send
        self._view = View(ready=False, workers=(), differences={})
        self._reporter = Reporter()
        self._unseen: dict[str, int] = {}
        self._requests = itertools.count(1)
        self._sharing: dict[int, asyncio.Future[None]] = {}

    def report(self, catalog: Catalog, missing: str, resiliencies: tuple[ResiliencyManifest, ...] = ()) -> None:
        """Tell the parent what has changed since the last report, if anything has."""
        report = self._reporter.report(catalog, missing, resiliencies)
        if report is not None:
            self._unseen |= dict.fromkeys((component.name for component in report.changed), report.number)
            self._send(report)

    def received(self, frame: View | Extended | MetadataSet) -> None:
        """Take in what the parent says."""
        match frame:
            case View():
                self._view = frame
                seen = next((view.seen for view in frame.workers if view.worker == self.worker), 0)
                self._unseen = {name: number for name, number in self._unseen.items() if number > seen}
            case Extended():
                self.extended = frame.values
                self._send(Applied(frame.version))
            case MetadataSet():
                shared = self._sharing.get(frame.request)
                if shared is not None and not shared.done():
                    shared.set_result(None)

    async def set_metadata(self, key: str, value: str) -> None:
        """Give every worker a value for the ``extended`` member; returns when all show it.

        Raises:
            NotShared: a worker did not answer in time; it gets the value as soon as it does.
        """
        request = next(self._requests)
        shared = self._sharing[request] = asyncio.get_running_loop().create_future()
        self._send(SetMetadata(request, key, value))
        try:
            async with asyncio.timeout(_SHARE_LIMIT):
                await shared
        except TimeoutError:
            cause = f"a serving process did not take the value of {key} within {_SHARE_LIMIT:.0f} s"
            raise NotShared(f"{cause}; the others have it, and it gets it once it answers again") from None
        finally:
            del self._sharing[request]

    def missing(self, own: str) -> str:
        """What keeps the host from being ready, this worker's own troubles first; empty once all have been ready."""
        if self._view.services.missing:
            return self._view.services.missing
        if self._view.ready:
            return ""
        others = [f"[worker {view.worker} {view.missing}]" for view in self._view.workers if view.missing]
        return own or " ".join(others) or "[workers (starting)]"

    @property
    def services_tried(self) -> bool:
        """Whether the services that run once have started, or failed to, wherever they run."""
        return self._view.services.tried

    def generation(self, own: int) -> int:
        """The lowest generation of all workers."""
        return min([own, *(view.generation for view in self._view.workers if view.worker != self.worker)])

    def serves_everywhere(self, name: str) -> bool:
        """Whether a component of this worker serves, in whatever version, in all others too."""
        difference = self._view.differences.get(name)
        return difference is None or difference.serves

    def merge(self, components: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Describe this worker's components as they stand in all workers, and add those that only others have.

        A component is ready only where every worker serves the same version of it; what this worker has built and the
        parent hasn't compared yet is ``reloading``.
        """
        merged = []
        differences = dict(self._view.differences)
        for component in components:
            state, problems = component["state"], component["problems"]
            difference = differences.pop(component["name"], None)
            if difference is not None:
                state, problems = difference.worst.state, list(difference.worst.problems)
            elif component["name"] in self._unseen and state == "ready":
                state = RELOADING
            merged.append({**component, "state": state, "problems": problems})
        for name, difference in differences.items():
            worst = difference.worst
            about = {"name": name, "type": worst.type_name, "state": RELOADING, "source": worst.source}
            merged.append({**about, "problems": list(worst.problems)})
        return merged

    def describe(self) -> list[dict[str, Any]]:
        """Describe the workers for the metadata document; components only where workers differ."""
        described = []
        for view in self._view.workers:
            worker: dict[str, Any] = {"worker": view.worker, "state": view.state, "generation": view.generation}
            if view.pid:
                worker["pid"] = view.pid
            states = {
                name: difference.states[view.worker]
                for name, difference in self._view.differences.items()
                if view.worker in difference.states
            }
            described.append({**worker, "components": states} if states else worker)
        return described
