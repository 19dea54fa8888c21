"""All Resiliency manifests as one set of policies (contract sheet, section 7.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from jackfield.errors import Problem
from jackfield.manifests.resiliency import ResiliencyManifest, ResiliencyTarget
from jackfield.manifests.spelling import nearest
from jackfield.resilience.definitions import BreakerPolicy, RetryPolicy, TimeoutPolicy

__all__ = ["Plan", "ResiliencePolicies", "Source", "merge"]

PolicyT = TypeVar("PolicyT", TimeoutPolicy, RetryPolicy, BreakerPolicy)

_DEFAULTS = ("DefaultConversationComponentOutbound", "DefaultComponentOutbound", "DefaultComponent", "Default")


@dataclass(frozen=True, slots=True)
class Plan:
    """What applies to the calls of one component."""

    timeout: TimeoutPolicy | None = None
    retry: RetryPolicy | None = None
    breaker: BreakerPolicy | None = None


@dataclass(frozen=True, slots=True)
class ResiliencePolicies:
    """Every policy and target there is. Where two documents have one name, the later one's counts.

    Attributes:
        timeouts: time limits by name.
        retries: retry policies by name.
        breakers: circuit breakers by name.
        targets: what documents ask for, by component name.
    """

    timeouts: Mapping[str, TimeoutPolicy] = field(default_factory=dict)
    retries: Mapping[str, RetryPolicy] = field(default_factory=dict)
    breakers: Mapping[str, BreakerPolicy] = field(default_factory=dict)
    targets: Mapping[str, Plan] = field(default_factory=dict)

    def plan(self, component: str, *, is_router: bool = False) -> Plan | None:
        """Say what applies to a component; None if nothing does.

        An entry of its own keeps all default policies away, also for what the entry leaves out.

        Args:
            component: the component's name.
            is_router: it has targets instead of a provider: then no default applies, and a time limit at most.
        """
        plan = self.targets.get(component)
        if is_router:
            plan = Plan(plan.timeout) if plan is not None else None
        elif plan is None:
            plan = Plan(
                _default(self.timeouts, "Timeout"),
                _default(self.retries, "Retry"),
                _default(self.breakers, "CircuitBreaker"),
            )
        if plan is not None and plan.timeout is not None and not plan.timeout.seconds:
            plan = Plan(None, plan.retry, plan.breaker)
        return None if plan == Plan() else plan


def _default(policies: Mapping[str, PolicyT], kind: str) -> PolicyT | None:
    names = (f"{start}{kind}Policy" for start in _DEFAULTS)
    return next((policies[name] for name in names if name in policies), None)


class Source(NamedTuple):
    """One document's part.

    Attributes:
        manifest: the document.
        targets: what its targets came to when all was in order; None to look their policies up now.
    """

    manifest: ResiliencyManifest
    targets: Mapping[str, Plan] | None = None


class Merged(NamedTuple):
    """What ``merge`` gives.

    Attributes:
        policies: all documents as one.
        targets: what each source's targets came to, in the order of the sources.
        problems: what is wrong with each source.
    """

    policies: ResiliencePolicies
    targets: tuple[Mapping[str, Plan], ...]
    problems: tuple[tuple[Problem, ...], ...]


def merge(sources: Iterable[Source], routers: Collection[str] = ()) -> Merged:
    """Decode documents one after the other into one set.

    Args:
        sources: the documents in their order.
        routers: names of components that have targets instead of a provider.
    """
    sources = tuple(sources)
    timeouts: dict[str, TimeoutPolicy] = {}
    retries: dict[str, RetryPolicy] = {}
    breakers: dict[str, BreakerPolicy] = {}
    for manifest, _ in sources:
        timeouts |= manifest.timeouts
        retries |= manifest.retries
        breakers |= manifest.breakers
    lookup = _Lookup(timeouts, retries, breakers, routers)
    found = tuple(lookup.targets(manifest) if kept is None else (kept, ()) for manifest, kept in sources)
    targets: dict[str, Plan] = {}
    for resolved, _ in found:
        targets |= resolved
    policies = ResiliencePolicies(timeouts, retries, breakers, targets)
    return Merged(policies, tuple(resolved for resolved, _ in found), tuple(problems for _, problems in found))


class _Lookup(NamedTuple):
    """Finds the policies that targets name."""

    timeouts: Mapping[str, TimeoutPolicy]
    retries: Mapping[str, RetryPolicy]
    breakers: Mapping[str, BreakerPolicy]
    routers: Collection[str]

    def targets(self, manifest: ResiliencyManifest) -> tuple[Mapping[str, Plan], tuple[Problem, ...]]:
        problems: list[Problem] = []
        plans = {target.component: self._plan(manifest, target, problems) for target in manifest.targets.values()}
        return plans, tuple(problems)

    def _plan(self, manifest: ResiliencyManifest, target: ResiliencyTarget, problems: list[Problem]) -> Plan:
        if target.component in self.routers:
            for key, name in (("retry", target.retry), ("circuitBreaker", target.breaker)):
                if name:
                    cause = f"{target.component} is a router, which takes a timeout and nothing else"
                    fix = "give the policy to the router's targets"
                    problems.append(manifest.problem(target.field(key), cause, fix))

        def find(policies: Mapping[str, PolicyT], name: str, key: str, kind: str) -> PolicyT | None:
            if not name or name in policies:
                return policies.get(name)
            near = nearest(name, policies)
            fix = f"did you mean {near}?" if near else f"define it under spec.policies.{kind}"
            cause = f"there is no policy {name[:60]} among the {kind}"
            problems.append(manifest.problem(target.field(key), cause, fix))
            return None

        return Plan(
            find(self.timeouts, target.timeout, "timeout", "timeouts"),
            find(self.retries, target.retry, "retry", "retries"),
            find(self.breakers, target.breaker, "circuitBreaker", "circuitBreakers"),
        )
