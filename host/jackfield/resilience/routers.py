"""What resilience has to know about components that have targets instead of a provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from jackfield.catalog.catalog import Entry
from jackfield.components import Conversation
from jackfield.errors import Problem
from jackfield.manifests.places import mention
from jackfield.resilience.policies import ResiliencePolicies

__all__ = ["endless_targets", "routers_among"]


def routers_among(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the names of the components that answer by their route stage alone."""
    return frozenset(entry.name for entry in entries if _conversation(entry, has_provider=False))


def endless_targets(entries: Iterable[Entry], policies: ResiliencePolicies) -> Iterator[Problem]:
    """Warn of routers with a target that is tried again without limit: fallback is then never reached.

    Args:
        entries: the catalog's.
        policies: what applies to them.
    """
    entries = tuple(entries)
    endless: dict[str, str] = {}
    for entry in entries:
        plan = policies.plan(entry.name) if _conversation(entry, has_provider=True) else None
        if plan is not None and plan.retry is not None and plan.retry.max_retries is None:
            endless[entry.name] = plan.retry.name
    for router in entries:
        if not _conversation(router, has_provider=False):
            continue
        for name, policy in endless.items():
            cause = f"{name} is tried again without limit, by the retry policy {policy}: no other target is ever asked"
            problem = mention(router.manifest, name, cause, "give that policy maxRetries")
            if problem.field:
                yield replace(problem, severity="warning")


def _conversation(entry: Entry, *, has_provider: bool) -> bool:
    component = entry.instance.component if entry.instance is not None else None
    return isinstance(component, Conversation) and component.has_provider is has_provider
