"""What a host knows about resilience while it lives: the documents, the plans they come to, and the breakers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from weakref import WeakValueDictionary

from jackfield.catalog.catalog import State
from jackfield.errors import Problem
from jackfield.manifests.folder import Scan
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.observing import BreakerChange
from jackfield.resilience.breaker import Breaker
from jackfield.resilience.definitions import BreakerPolicy
from jackfield.resilience.documents import Documents, ResiliencyEntry, follow
from jackfield.resilience.holder import ArmedPlan, Holder
from jackfield.resilience.policies import ResiliencePolicies
from jackfield.resilience.timing import REAL, Timing

__all__ = ["Resilience"]

_log = logging.getLogger("jackfield.resilience")


class Resilience:
    """Owns the plans. It lives as long as the host, so that breakers keep their state when manifests are read again.

    A breaker belongs to a component's name and a policy's name. It goes on while that policy's definition is the same,
    whatever else changes in the documents and the component; another definition begins with a closed one.

    Args:
        timing: where time and chance come from.
        observe: told of every breaker that comes, changes its state or goes.
    """

    def __init__(self, timing: Timing = REAL, *, observe: Callable[[BreakerChange], None] = lambda _: None) -> None:
        self._timing = timing
        self._observe = observe
        self._documents = Documents()
        self._routers: frozenset[str] = frozenset()
        self._scan: Scan | None = None
        self._holders: WeakValueDictionary[tuple[str, bool], Holder] = WeakValueDictionary()
        self._breakers: dict[tuple[str, str], Breaker] = {}

    @property
    def documents(self) -> tuple[ResiliencyEntry, ...]:
        """How each document stands, in their order."""
        return tuple(self._documents.entries.values())

    @property
    def policies(self) -> ResiliencePolicies:
        """All documents as one set."""
        return self._documents.policies

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is to be said about the documents."""
        return tuple(dict.fromkeys(problem for one in self.documents for problem in one.problems))

    @property
    def good(self) -> tuple[ResiliencyManifest, ...]:
        """The documents that apply, stale ones as they were when they were in order."""
        return tuple(entry.good for entry in self.documents if entry.good is not None)

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """The circuit breakers that are in use."""
        return tuple(self._breakers.values())

    def holder(self, component: str, *, is_router: bool = False) -> Holder:
        """Return where a component's chain finds its plan. Every chain of one name gets the same one.

        Args:
            component: the component's name.
            is_router: it has targets instead of a provider.
        """
        key = (component, is_router)
        holder = self._holders.get(key)
        if holder is None:
            self._holders[key] = holder = Holder(component, is_router=is_router, timing=self._timing)
            self._arm(holder)
        return holder

    def apply(self, scan: Scan, *, routers: Collection[str] = ()) -> None:
        """Follow the folders. What changes is logged, and applies to requests from now on; running ones keep theirs.

        Args:
            scan: the folders' content.
            routers: names of components that have targets instead of a provider.
        """
        routers = frozenset(routers)
        last = self._scan
        same = last is not None and (scan.files, scan.folders) == (last.files, last.folders)
        if same and routers == self._routers:
            return
        before, self._documents = self._documents, follow(self._documents, scan, routers)
        self._scan, self._routers = scan, routers
        holders = list(self._holders.values())
        if before.policies != self._documents.policies:
            for holder in holders:
                self._arm(holder)
        used = {id(holder.plan.breaker) for holder in holders if holder.plan is not None}
        unused = [key for key, breaker in self._breakers.items() if id(breaker) not in used]
        for breaker in [self._breakers.pop(key) for key in unused]:
            self._told(breaker.component, breaker.name, "removed")
        _log_changes(before, self._documents)

    def _arm(self, holder: Holder) -> None:
        plan = self._documents.policies.plan(holder.component, is_router=holder.is_router)
        if plan is None:
            holder.plan = None
            return
        breaker = self._breaker(plan.breaker, holder.component) if plan.breaker is not None else None
        holder.plan = ArmedPlan(plan.timeout, plan.retry, breaker)

    def _breaker(self, policy: BreakerPolicy, component: str) -> Breaker:
        key = (policy.name, component)
        breaker = self._breakers.get(key)
        if breaker is None or breaker.policy != policy:
            self._breakers[key] = breaker = Breaker(policy, component, self._timing.clock, self._told)
            self._told(component, breaker.name, breaker.state.value)
        return breaker

    def _told(self, component: str, name: str, state: str) -> None:
        self._observe(BreakerChange(component=component, name=name, state=state))


def _log_changes(before: Documents, after: Documents) -> None:
    """Write a line for every document that came, changed, went, or is in trouble that wasn't told before."""
    for key, entry in after.entries.items():
        old = before.entries.get(key)
        about = {"resiliency": entry.manifest.name, "source": entry.manifest.place}
        if entry.state is not State.READY:
            if old is None or (old.state, old.problems) != (entry.state, entry.problems):
                does = "keeps its last good version" if entry.good is not None else "does not apply"
                cause = "; ".join(str(problem) for problem in entry.problems if problem.severity == "error")
                _log.error("the Resiliency manifest %s", does, extra={**about, "state": entry.state, "cause": cause})
        elif old is None or old.good is None:
            _log.info("Resiliency manifest loaded", extra=about)
        elif entry.good is not None and entry.good.digest != old.good.digest:
            _log.info("Resiliency manifest updated", extra=about)
        elif old.state is not State.READY:
            _log.info("the Resiliency manifest is in order again", extra=about)
    for key in before.entries.keys() - after.entries.keys():
        _log.info("Resiliency manifest removed", extra={"resiliency": key.name, "source": key.file})
