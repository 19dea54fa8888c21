"""The board: what the workers have said last, put side by side. The parent keeps it; it only holds facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from jackfield.serving.frames import Report, ServicesReport, View
from jackfield.serving.reports import ComponentReport, Difference, GoodDocument, WorkerView

__all__ = ["RELOADING", "Board"]

RELOADING = "reloading"
"""The state of a component that serves everywhere, but not yet in the same version."""
_WORST_FIRST = ("failed", "waiting", "stale", "starting", RELOADING, "ready")


@dataclass
class _Said:
    """What one worker has said; it outlives the process, until its replacement speaks."""

    pid: int = 0
    state: str = "starting"
    seen: int = 0
    spoke: bool = False
    generation: int = 0
    missing: str = ""
    been_ready: bool = False
    components: dict[str, ComponentReport] = field(default_factory=dict)


class Board:
    """Compares the workers' reports.

    A worker that has never reported serves nobody yet, so it doesn't count for a component's state; it does count for
    readiness. One that died counts as it last stood, until its replacement has started.

    Args:
        workers: their numbers.
    """

    def __init__(self, workers: Iterable[int]) -> None:
        self._said = {worker: _Said() for worker in workers}
        self._differences: dict[str, Difference] = {}
        self._documents: dict[str, GoodDocument] = {}
        self._resiliencies: tuple[GoodDocument, ...] = ()
        self._services = ServicesReport(tried=False, missing="")

    def generation(self, worker: int) -> int:
        """The generation that a worker's replacement goes on from."""
        return self._said[worker].generation

    def served(self, worker: int) -> frozenset[str]:
        """The names of the components that a worker serves, in whichever version."""
        return frozenset(name for name, report in self._said[worker].components.items() if report.digest)

    def documents(self) -> tuple[GoodDocument, ...]:
        """The Resiliency manifests that apply, then the last text of each component that built and is still there.

        The order of the former decides which counts where two have one name, so they stand first, undisturbed.
        """
        return (*self._resiliencies, *self._documents.values())

    def began(self, worker: int, pid: int) -> None:
        """Note a worker's new process."""
        said = self._said[worker]
        said.pid, said.seen, said.state = pid, 0, "starting"

    def ended(self, worker: int) -> None:
        """Note that a worker's process is gone."""
        said = self._said[worker]
        said.pid, said.state = 0, "restarting"

    def report(self, worker: int, report: Report) -> None:
        """Take in a worker's report."""
        said = self._said[worker]
        names = {component.name for component in report.changed} | set(report.removed)
        if report.number == 1:
            names |= said.components.keys() if said.spoke else self._names()
            said.components = {}
        said.state, said.seen, said.spoke = "serving", report.number, True
        said.generation = report.generation
        said.missing = report.missing
        said.been_ready = said.been_ready or not report.missing
        said.components |= {component.name: component for component in report.changed}
        for name in report.removed:
            said.components.pop(name, None)
        self._documents |= {document.name: document for document in report.documents}
        if report.resiliencies is not None:
            self._resiliencies = report.resiliencies
        for name in names:
            self._compare(name)

    def services(self, report: ServicesReport) -> None:
        """Take in how the services that run once stand."""
        self._services = ServicesReport(self._services.tried or report.tried, report.missing)

    def view(self) -> View:
        """What every worker is to know of the others."""
        workers = tuple(
            WorkerView(worker, said.pid, said.state, said.generation, said.seen, _missing(said))
            for worker, said in self._said.items()
        )
        ready = all(said.been_ready for said in self._said.values())
        return View(ready, workers, self._differences, self._services)

    def _names(self) -> set[str]:
        return {name for said in self._said.values() for name in said.components}

    def _compare(self, name: str) -> None:
        found = {worker: said.components.get(name) for worker, said in self._said.items() if said.spoke}
        reports = [report for report in found.values() if report is not None]
        self._differences.pop(name, None)
        if not reports:
            self._documents.pop(name, None)
        elif len(reports) < len(found) or len({(report.state, report.digest) for report in reports}) > 1:
            states = {worker: report.state if report else RELOADING for worker, report in found.items()}
            worst = min(reports, key=lambda report: _WORST_FIRST.index(report.state))
            if worst.state == "ready":
                worst = ComponentReport(name, worst.type_name, worst.source, RELOADING, "", worst.problems)
            serves = len(reports) == len(found) and all(report.digest for report in reports)
            self._differences[name] = Difference(worst, states, serves)


def _missing(said: _Said) -> str:
    if said.been_ready:
        return ""
    return said.missing or f"({said.state})"
