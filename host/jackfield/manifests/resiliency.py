"""A Resiliency manifest: one ``kind: Resiliency`` document, read and checked (contract sheet, section 7.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from jackfield.errors import Problem
from jackfield.manifests.documents import Document
from jackfield.resilience.definitions import BreakerPolicy, RetryPolicy, TimeoutPolicy

__all__ = ["ResiliencyManifest", "ResiliencyTarget"]


@dataclass(frozen=True, slots=True)
class ResiliencyTarget:
    """The policies of one component, by name; an empty name is none.

    Attributes:
        component: the component's name.
        timeout: a policy of ``policies.timeouts``.
        retry: a policy of ``policies.retries``.
        breaker: a policy of ``policies.circuitBreakers``.
    """

    component: str
    timeout: str = ""
    retry: str = ""
    breaker: str = ""

    def field(self, key: str) -> str:
        """The path of one of the entry's keys, for a ``Problem``."""
        return f"spec.targets.components.{self.component}.outbound.{key}"


@dataclass(frozen=True, eq=False)
class ResiliencyManifest:
    """What a document says about retries, time limits and breakers.

    Attributes:
        file: the file's path as the operator wrote it.
        line: the line on which the document's content begins.
        document: the text it was read from, from which ``parse_document`` makes it again.
        name: the document's name; may be empty.
        namespace: empty if none is given.
        scopes: the app ids that it is for; empty means all.
        timeouts: the time limits that it defines, by name.
        retries: its retry policies, by name.
        breakers: its circuit breakers, by name.
        targets: the components that it gives policies, by name.
        problems: all that is to be said about it.
        lines: the line of each field by its path.
    """

    file: str
    line: int
    document: Document = field(repr=False)
    name: str = ""
    namespace: str = ""
    scopes: tuple[str, ...] = ()
    timeouts: Mapping[str, TimeoutPolicy] = field(default_factory=dict)
    retries: Mapping[str, RetryPolicy] = field(default_factory=dict)
    breakers: Mapping[str, BreakerPolicy] = field(default_factory=dict)
    targets: Mapping[str, ResiliencyTarget] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def broken(self) -> bool:
        """True if the document is not to be used."""
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"

    @cached_property
    def digest(self) -> str:
        """A hash of everything that has an effect; layout, comments and place have none."""
        policies = (self.timeouts, self.retries, self.breakers, self.targets)
        facts = [repr(sorted(one.items(), key=lambda item: item[0])) for one in policies]
        text = json.dumps([self.name, self.namespace, sorted(self.scopes), facts])
        return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()

    def line_of(self, path: str) -> int:
        """Return the line of a field, or of the document."""
        return self.lines.get(path, self.line)

    def problem(self, path: str, cause: str, fix: str = "", *, line: int = 0, severity: str = "error") -> Problem:
        """Make a problem of this document, at the field's line unless another is given."""
        return Problem(self.file, line or self.line_of(path), path, cause, fix, severity=severity)
