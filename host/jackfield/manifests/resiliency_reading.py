"""Read a document of ``kind: Resiliency``, with all its problems at once (contract sheet, section 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from jackfield.errors import Problem
from jackfield.manifests.documents import Document
from jackfield.manifests.fields import Field, Reader
from jackfield.manifests.resiliency import ResiliencyManifest, ResiliencyTarget
from jackfield.manifests.resiliency_policies import Named, named, read_breaker, read_retry, read_timeout
from jackfield.manifests.yaml import MappingNode, Tree

__all__ = ["read_resiliency"]

_OUTBOUND = ("timeout", "retry", "circuitBreaker")


def read_resiliency(document: Document, tree: Tree, file: str) -> ResiliencyManifest:
    """Read a document; what is wrong is in its problems.

    Args:
        document: its text and place.
        tree: the text, parsed; an object.
        file: the file's path as the operator wrote it.
    """
    assert tree.root is not None  # noqa: S101  it has a kind
    reader = Reader(file, tree.root.line)
    reader.report_duplicates(tree.duplicates)
    top = reader.fields(tree.root, "", ("apiVersion", "kind", "metadata", "spec", "scopes"))
    metadata = _within(reader, top, "metadata", "", ("name", "namespace"), others=True)
    name = reader.text(metadata.get("name"), "metadata.name")
    if not name:
        reader.report("metadata.name", "is missing", "add `name: ...`", severity="warning")
    spec = _within(reader, top, "spec", "", ("policies", "targets"))
    policies = _within(reader, spec, "policies", "spec.", ("timeouts", "retries", "circuitBreakers"))
    entries = {key: list(named(reader, field, f"spec.policies.{key}")) for key, field in policies.items()}
    manifest = ResiliencyManifest(
        file=file,
        line=reader.line,
        document=document,
        name=name,
        namespace=reader.text(metadata.get("namespace"), "metadata.namespace"),
        scopes=reader.texts(top.get("scopes"), "scopes"),
        timeouts={entry.name: read_timeout(reader, entry) for entry in entries.get("timeouts", ())},
        retries={entry.name: read_retry(reader, entry) for entry in entries.get("retries", ())},
        breakers={entry.name: read_breaker(reader, entry) for entry in entries.get("circuitBreakers", ())},
        targets=_targets(reader, spec),
        lines=MappingProxyType(reader.lines),
    )
    problems = sorted(reader.problems, key=lambda problem: problem.line)
    return replace(manifest, problems=tuple(_once(problems)))


def _once(problems: list[Problem]) -> Iterator[Problem]:
    """Leave out notices that say again what one before has said."""
    said: set[str] = set()
    for problem in problems:
        if problem.severity != "notice" or problem.cause not in said:
            yield problem
        said.add(problem.cause)


def _within(
    reader: Reader, fields: dict[str, Field], key: str, path: str, known: tuple[str, ...], *, others: bool = False
) -> dict[str, Field]:
    node = fields[key].node if key in fields else None
    return reader.fields(node, f"{path}{key}", known, others=others)


def _targets(reader: Reader, spec: dict[str, Field]) -> dict[str, ResiliencyTarget]:
    targets = _within(reader, spec, "targets", "spec.", ("apps", "actors", "components"))
    for key in ("apps", "actors"):
        if key in targets:
            text = f"has no effect here: this host calls no {key}"
            reader.report(f"spec.targets.{key}", text, severity="notice")
    path = "spec.targets.components"
    return {entry.name: _target(reader, entry) for entry in named(reader, targets.get("components"), path)}


def _target(reader: Reader, entry: Named) -> ResiliencyTarget:
    """Read one component's entry. An empty one counts too: it keeps the default policies away."""
    fields = reader.fields(entry.node, entry.path, ("outbound", "inbound"))
    if isinstance(entry.node, MappingNode):
        for key, _ in entry.node.entries:
            if key.text.lower() in {name.lower() for name in _OUTBOUND}:
                fix = "write it one level further in, under outbound"
                reader.report(f"{entry.path}.{key.text}", "has no effect here", fix, line=key.line, severity="warning")
    if "inbound" in fields:
        text = "has no effect here: conversations are outbound"
        reader.report(f"{entry.path}.inbound", text, severity="notice")
    outbound = _within(reader, fields, "outbound", f"{entry.path}.", _OUTBOUND)
    timeout, retry, breaker = (reader.text(outbound.get(key), f"{entry.path}.outbound.{key}") for key in _OUTBOUND)
    return ResiliencyTarget(entry.name, timeout, retry, breaker)
