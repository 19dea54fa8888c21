"""Read one document of a manifest file into a component or Resiliency manifest, with all its problems at once."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from jackfield import durations
from jackfield.errors import ManifestError, Problem
from jackfield.manifests.component import DEFAULT_INIT_TIMEOUT, ComponentManifest, MetadataItem
from jackfield.manifests.documents import Document
from jackfield.manifests.fields import LEVELS, Field, Reader, is_null, kind_of
from jackfield.manifests.kinds import RESILIENCY, skip_kind, skip_type
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.manifests.resiliency_reading import read_resiliency
from jackfield.manifests.yaml import MappingNode, Node, ScalarNode, SequenceNode, Tree, parse, to_json, written

__all__ = ["ParsedDocument", "parse_document"]

_INITIAL_VERSIONS = {"", "v0", "v1"}


class ParsedDocument(NamedTuple):
    """What came of one document.

    Attributes:
        manifest: the component manifest; None for a document that is skipped, broken, or of another kind.
        problems: errors, warnings and notices in the order of their lines.
        broken: true if the document could not be read, so that what was last seen in its file is kept.
        resiliency: the Resiliency manifest, if it is one. It knows its own errors, which concern nothing else in the
            file, so ``broken`` is false with them.
    """

    manifest: ComponentManifest | None
    problems: tuple[Problem, ...]
    broken: bool = False
    resiliency: ResiliencyManifest | None = None


def parse_document(document: Document, *, file: str) -> ParsedDocument:
    """Read one document. Never raises: what is wrong is in the problems.

    Args:
        document: its text, and the line of the file on which it begins.
        file: the file's path as the operator wrote it.
    """
    try:
        tree = parse(document, file)
    except ManifestError as error:
        return ParsedDocument(None, tuple(error.problems), broken=True)
    if tree.root is None:
        return ParsedDocument(None, ())
    reader = Reader(file, tree.root.line)
    top = reader.fields(tree.root, "", LEVELS[""])
    if any(problem.severity == "error" for problem in reader.problems) and not top:
        return ParsedDocument(None, tuple(reader.problems), broken=True)
    kind, notice = _looked_at(top, reader)
    if notice is not None:
        guesses = () if top else reader.problems  # a document of another kind has fields of its own
        return ParsedDocument(None, (*guesses, notice), broken=notice.severity == "error")
    if kind == RESILIENCY:
        resiliency = read_resiliency(document, tree, file)
        return ParsedDocument(None, resiliency.problems, resiliency=resiliency)
    manifest = _component(reader, top, document, tree)
    problems = tuple(replace(problem, component=manifest.name) for problem in sorted(reader.problems, key=_line))
    broken = any(problem.severity == "error" for problem in problems)
    return ParsedDocument(None if broken else manifest, problems, broken=broken)


def _line(problem: Problem) -> int:
    return problem.line


def _looked_at(top: dict[str, Field], reader: Reader) -> tuple[str, Problem | None]:
    """Return the document's kind, and why it is none of this host's: its other faults are nobody's business then."""
    quiet = Reader(reader.file, reader.line)
    api_version, kind = quiet.text(top.get("apiVersion"), "apiVersion"), quiet.text(top.get("kind"), "kind")
    metadata = quiet.fields(_node(top, "metadata"), "metadata", LEVELS["metadata"], others=True)
    name = quiet.text(metadata.get("name"), "metadata.name")
    spec = quiet.fields(_node(top, "spec"), "spec", LEVELS["spec"])
    at = Problem(reader.file, reader.line, "", "", component=name)
    notice = skip_kind(api_version, kind, at) or skip_type(quiet.text(spec.get("type"), "spec.type"), at)
    lines = reader.lines | quiet.lines
    return kind, replace(notice, line=lines.get(notice.field, reader.line)) if notice else None


def _component(reader: Reader, top: dict[str, Field], document: Document, tree: Tree) -> ComponentManifest:
    reader.report_duplicates(tree.duplicates)
    metadata = reader.fields(_node(top, "metadata"), "metadata", LEVELS["metadata"], others=True)
    spec = reader.fields(_node(top, "spec"), "spec", LEVELS["spec"])
    auth = reader.fields(_node(top, "auth"), "auth", LEVELS["auth"])
    return ComponentManifest(
        file=reader.file,
        line=reader.line,
        document=document,
        name=_name(reader, metadata.get("name")),
        namespace=reader.text(metadata.get("namespace"), "metadata.namespace"),
        type_name=_type(reader, spec.get("type")),
        written_version=_version(reader, spec.get("version")),
        ignore_errors=reader.boolean(spec.get("ignoreErrors"), "spec.ignoreErrors"),
        init_timeout=_init_timeout(reader, spec.get("initTimeout")),
        items=_items(reader, spec.get("metadata")),
        secret_store=reader.text(auth.get("secretStore"), "auth.secretStore"),
        scopes=reader.texts(top.get("scopes"), "scopes"),
        lines=MappingProxyType(reader.lines),
    )


def _node(fields: dict[str, Field], name: str) -> Node | None:
    return fields[name].node if name in fields else None


def _name(reader: Reader, field: Field | None) -> str:
    before = len(reader.problems)
    name = reader.text(field, "metadata.name")
    if not name and len(reader.problems) == before:
        reader.report("metadata.name", "is missing", "add `name: ...`, the name in the URL")
    for bad in ("/", "%"):
        if bad in name:
            reader.report("metadata.name", f"the name {name[:60]!r} has a {bad!r} in it", "use letters, digits and '-'")
    if name in {".", ".."}:
        reader.report("metadata.name", f"the name {name!r} can't be part of a URL", "use letters, digits and '-'")
    return name


def _type(reader: Reader, field: Field | None) -> str:
    before = len(reader.problems)
    type_name = reader.text(field, "spec.type")
    if not type_name and len(reader.problems) == before:
        reader.report("spec.type", "is missing", "add `type: ...`, such as conversation.openai")
    return type_name


def _version(reader: Reader, field: Field | None) -> str:
    version = reader.text(field, "spec.version")
    if version.lower() not in _INITIAL_VERSIONS:
        reader.report("spec.version", f"there is no version {version[:60]!r} of any component type", "write v1")
    return version


def _init_timeout(reader: Reader, field: Field | None) -> float:
    text = reader.text(field, "spec.initTimeout")
    if not text:
        return DEFAULT_INIT_TIMEOUT
    try:
        seconds = durations.parse_go(text)
    except ValueError as error:
        reader.report("spec.initTimeout", f"5s applies instead: {error}", severity="warning")
        return DEFAULT_INIT_TIMEOUT
    if seconds <= 0:
        cause = f"5s applies instead: {text[:40]!r} is not longer than nothing"
        reader.report("spec.initTimeout", cause, "write a duration such as 30s", severity="warning")
        return DEFAULT_INIT_TIMEOUT
    return seconds


def _items(reader: Reader, field: Field | None) -> tuple[MetadataItem, ...]:
    if field is None:
        return ()
    if not isinstance(field.node, SequenceNode):
        fix = "write a list: `- name: key` and below it `value: ...`"
        reader.report("spec.metadata", f"must be a list, not {kind_of(field.node)}", fix, line=field.line)
        return ()
    return tuple(_item(reader, node, index) for index, node in enumerate(field.node.items) if not is_null(node))


def _item(reader: Reader, node: Node, index: int) -> MetadataItem:
    path = f"spec.metadata[{index}]"
    fields = reader.fields(node, path, ("name", "value", "secretKeyRef", "envRef"))
    name = reader.text(fields.get("name"), f"{path}.name")
    if name:
        path = f"spec.metadata.{name}"
        reader.lines[path] = node.line
    elif isinstance(node, MappingNode):
        reader.report(path, "the item has no name", "add `name: ...`", line=node.line)
    secret_name, secret_key = _secret(reader, fields.get("secretKeyRef"), path)
    value = _node(fields, "value")
    return MetadataItem(
        name=name,
        line=node.line,
        value=written(value) if isinstance(value, ScalarNode) else value and to_json(value),
        env_ref=reader.text(fields.get("envRef"), f"{path}.envRef"),
        secret_name=secret_name,
        secret_key=secret_key,
        node=value,
    )


def _secret(reader: Reader, field: Field | None, path: str) -> tuple[str, str]:
    if field is None:
        return "", ""
    path = f"{path}.secretKeyRef"
    before = len(reader.problems)
    fields = reader.fields(field.node, path, ("name", "key"))
    name = reader.text(fields.get("name"), f"{path}.name")
    key = reader.text(fields.get("key"), f"{path}.key")
    if not name and len(reader.problems) == before:
        reader.report(path, "names no secret", "add `name: ...`, the secret's name in the store", line=field.line)
    return name, key or name
