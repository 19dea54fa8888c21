"""The components of the storm: dialects, policies and routers, as manifests and as the promises they come to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from jackfield.testing import ChatCompletions, Dialect, Messages

__all__ = [
    "BREAKER_SECONDS",
    "COMPONENTS",
    "FAILURES_TO_OPEN",
    "GRADES",
    "LIMIT",
    "ROUTERS",
    "Grade",
    "Provider",
    "manifest",
    "resiliency",
    "router",
]

LIMIT: Final = 2.0
"""Seconds that an attempt may take."""

BREAKER_SECONDS: Final = 1.0
"""How long a breaker stays open."""

FAILURES_TO_OPEN: Final = 5
"""After how many failures in a row a breaker opens."""

_LONGEST_WAIT: Final = 1.5


@dataclass(frozen=True)
class Grade:
    """What applies to a component's calls.

    Attributes:
        retry: the retry policy's name; empty for none.
        attempts: how many calls a request comes to at most.
        wait: the shortest wait between two.
        statuses: the statuses that are repeated; None for the default.
        guarded: it has a circuit breaker.
    """

    retry: str = ""
    attempts: int = 1
    wait: float = 0.0
    longest_wait: float = _LONGEST_WAIT
    statuses: frozenset[int] | None = None
    guarded: bool = False

    @property
    def seconds(self) -> float:
        """The longest time that a request may take by the policies."""
        return self.attempts * LIMIT + (self.attempts - 1) * self.longest_wait


GRADES: Final[Mapping[str, Grade]] = {
    "calm": Grade(),
    "bare": Grade(),
    "retry": Grade("few", 3, 0.05),
    "listed": Grade("listed", 3, 0.05, statuses=frozenset({429, 503})),
    "growing": Grade("growing", 3, 0.1),
    "guarded": Grade(guarded=True),
    "both": Grade("few", 3, 0.05, guarded=True),
}


@dataclass(frozen=True)
class Provider:
    """A component with a server behind it.

    Attributes:
        api: the API that the server speaks.
        grade: what applies to it.
        tls: the server speaks TLS.
    """

    api: str
    grade: str
    tls: bool = False

    @property
    def name(self) -> str:
        """Its name, which is also the first part of its server's paths."""
        return f"{self.api}-{self.grade}{'-tls' * self.tls}"

    @property
    def key(self) -> str:
        """Its key, which nobody but its server may see."""
        return f"sk-{self.name}-0123456789abcdef"

    @property
    def policy(self) -> Grade:
        """What applies to it."""
        return GRADES[self.grade]

    @property
    def dialect(self) -> Dialect:
        """What its server speaks."""
        return Messages() if self.api == "anthropic" else ChatCompletions()


COMPONENTS: Final[Mapping[str, Provider]] = {
    provider.name: provider
    for provider in (
        Provider("openai", "calm"),
        *(Provider(api, grade) for api in ("openai", "anthropic", "ollama") for grade in ("bare", "retry", "guarded")),
        Provider("openai", "both"),
        Provider("ollama", "listed"),
        Provider("anthropic", "growing"),
        Provider("openai", "retry", tls=True),
        Provider("anthropic", "bare", tls=True),
    )
}

ROUTERS: Final[Mapping[str, Sequence[str]]] = {
    "either": ("openai-bare", "anthropic-bare"),
    "any-of-three": ("anthropic-retry", "ollama-bare", "openai-retry-tls"),
    "behind-a-breaker": ("ollama-guarded", "openai-both", "anthropic-bare-tls"),
}
"""Routers by name, each with its targets in order."""


def manifest(name: str, api: str, items: Mapping[str, object]) -> str:
    """Write the manifest of a component."""
    document = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": {
            "type": f"conversation.{api}",
            "version": "v1",
            "initTimeout": "60s",
            "metadata": [{"name": key, "value": value} for key, value in items.items()],
        },
    }
    return json.dumps(document)


def router(name: str, targets: Sequence[str]) -> str:
    """Write the manifest of a router."""
    return manifest(name, "router", {"targets": [{"name": target} for target in targets]})


@dataclass
class _Policies:
    timeouts: Mapping[str, object] = field(default_factory=lambda: {"brisk": f"{LIMIT * 1000:.0f}ms"})
    retries: Mapping[str, object] = field(
        default_factory=lambda: {
            "few": _constant({}),
            "listed": _constant({"matching": {"httpStatusCodes": "429,503"}}),
            "growing": {"policy": "exponential", "maxInterval": f"{_LONGEST_WAIT * 1000:.0f}ms", "maxRetries": 2},
        }
    )


def _constant(more: Mapping[str, object]) -> Mapping[str, object]:
    longest = f"{_LONGEST_WAIT * 1000:.0f}ms"
    return {"policy": "constant", "duration": "50ms", "maxInterval": longest, "maxRetries": 2, **more}


def resiliency(grades: Mapping[str, Grade]) -> str:
    """Write the manifest with all policies, for components by name."""
    breaker = {
        "maxRequests": 1,
        "timeout": f"{BREAKER_SECONDS * 1000:.0f}ms",
        "trip": f"consecutiveFailures >= {FAILURES_TO_OPEN}",
    }
    policies = _Policies()
    targets = {
        name: {
            "outbound": {"timeout": "brisk"}
            | ({"retry": grade.retry} if grade.retry else {})
            | ({"circuitBreaker": "guard"} if grade.guarded else {})
        }
        for name, grade in grades.items()
    }
    document = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Resiliency",
        "metadata": {"name": "storm"},
        "spec": {
            "policies": {
                "timeouts": policies.timeouts,
                "retries": policies.retries,
                "circuitBreakers": {"guard": breaker},
            },
            "targets": {"components": targets},
        },
    }
    return json.dumps(document)
