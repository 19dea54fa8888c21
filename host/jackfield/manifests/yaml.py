"""Read one YAML document into a tree of nodes that remember their lines and how they were written.

libyaml does the parsing; the tree is built here, without recursion, because a manifest's scalars keep their written
text and PyYAML's own constructor turns dates into dates, ``1:30`` into 90 and keeps the last of duplicate keys.
"""

from __future__ import annotations

import base64
from typing import NamedTuple, TypeAlias

import yaml
from yaml import events

from jackfield.errors import ManifestError, Problem
from jackfield.manifests.documents import Document
from jackfield.manifests.scalars import JSON, resolve
from jackfield.manifests.syntax import Lines, explain

__all__ = ["Duplicate", "MappingNode", "Node", "ScalarNode", "SequenceNode", "Tree", "parse", "to_json", "written"]

DEEPEST = 64
"""How deep a document may nest."""

LARGEST = 200_000
"""How many nodes a document may have once its aliases are expanded."""

_STANDARD_TAG = "tag:yaml.org,2002:"


class ScalarNode(NamedTuple):
    """A scalar. ``tag`` is empty for a plain one, whose text decides its type, and ``str`` for a quoted one."""

    text: str
    tag: str
    line: int


class SequenceNode(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    line: int


class MappingNode(NamedTuple):
    """An object, its entries in the order they were written; one key may stand there twice."""

    entries: tuple[tuple[ScalarNode, Node], ...]
    line: int


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


class Duplicate(NamedTuple):
    """A key that one object has twice."""

    key: str
    first_line: int
    line: int


class Tree(NamedTuple):
    """A parsed document; ``root`` is None if there is nothing in it."""

    root: Node | None
    duplicates: tuple[Duplicate, ...]


def parse(document: Document, file: str) -> Tree:
    """Parse one document.

    Args:
        document: its text and first line.
        file: the file's name, for the error.

    Raises:
        ManifestError: the text is not YAML, nests deeper than ``DEEPEST``, or its aliases expand to more than
            ``LARGEST`` nodes; the problem has the line in the file.
    """
    lines = Lines(document.text)
    builder = _Builder(file, document.line, lines)
    parser = yaml.CSafeLoader(document.text)
    try:
        while parser.check_event():
            if event := parser.get_event():
                builder.take(event)
    except yaml.YAMLError as error:
        line, cause, fix = explain(error, document.text, lines)
        raise ManifestError([Problem(file, document.line + line, "", cause, fix)]) from error
    finally:
        parser.dispose()
    return Tree(builder.root, tuple(builder.duplicates))


def to_json(node: Node) -> JSON:
    """Return the JSON value of a node, its plain scalars resolved as Go's YAML resolves them."""
    if isinstance(node, SequenceNode):
        return [to_json(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {key.text: to_json(value) for key, value in node.entries}
    if node.tag in {"", "bool", "int", "float", "null"}:
        value = resolve(node.text)
        is_finite = not isinstance(value, float) or value - value == 0
        return value if is_finite else node.text
    return _text(node)


def written(node: ScalarNode) -> str | None:
    """Return the text of a scalar as it was written; None for a plain null, ``~`` or nothing."""
    if node.tag == "null" or (not node.tag and resolve(node.text) is None):
        return None
    return _text(node)


def _text(node: ScalarNode) -> str:
    return _unpacked(node.text) if node.tag == "binary" else node.text


def _unpacked(text: str) -> str:
    return base64.b64decode("".join(text.split()), validate=True).decode()


class _Open(NamedTuple):
    """An object or list whose end has not been read."""

    is_mapping: bool
    children: list[Node]
    line: int
    anchor: str | None
    size_before: int


class _Builder:
    """Builds the tree from libyaml's events."""

    def __init__(self, file: str, first_line: int, lines: Lines) -> None:
        self.root: Node | None = None
        self.duplicates: list[Duplicate] = []
        self._file = file
        self._first_line = first_line
        self._lines = lines
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._size = 0

    def take(self, event: events.Event) -> None:
        line = self._first_line + (self._lines.of(event.start_mark) if event.start_mark else 0)
        if isinstance(event, events.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, events.CollectionStartEvent):
            if len(self._open) >= DEEPEST:
                raise self._error(line, f"the document nests deeper than {DEEPEST} levels", "flatten it")
            if event.anchor:
                self._anchors[event.anchor] = None
            is_mapping = isinstance(event, events.MappingStartEvent)
            self._open.append(_Open(is_mapping, [], line, event.anchor, self._size))
        elif isinstance(event, events.CollectionEndEvent):
            self._close()
        elif isinstance(event, events.AliasEvent):
            self._alias(event.anchor or "", line)

    def _scalar(self, event: events.ScalarEvent, line: int) -> None:
        plain = not event.style and event.tag is None
        tag = "" if plain else (event.tag or "!").removeprefix(_STANDARD_TAG)
        node = ScalarNode(event.value, "str" if tag == "!" else tag, line)
        if fault := _tag_fault(node):
            raise self._error(line, fault, "mend the value or take the tag out")
        self._add(node, 1, event.anchor)

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise self._error(line, f"*{anchor} refers to nothing", f"write &{anchor} before the value it stands for")
        known = self._anchors[anchor]
        if known is None:
            raise self._error(line, f"*{anchor} refers to the value it is part of", "write the value out")
        self._add(*known, None, line)

    def _close(self) -> None:
        opened = self._open.pop()
        node = self._mapping(opened) if opened.is_mapping else SequenceNode(tuple(opened.children), opened.line)
        size = self._size - opened.size_before + 1
        self._size = opened.size_before
        self._add(node, size, opened.anchor)

    def _add(self, node: Node, size: int, anchor: str | None, line: int = 0) -> None:
        self._size += size
        if self._size > LARGEST:
            fix = "write out less, or split it"
            raise self._error(line or node.line, f"the document has more than {LARGEST:,} values", fix)
        if anchor:
            self._anchors[anchor] = (node, size)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _mapping(self, opened: _Open) -> MappingNode:
        entries: list[tuple[ScalarNode, Node]] = []
        merged: list[tuple[ScalarNode, Node]] = []
        lines: dict[str, int] = {}
        for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                fix = "put a value that begins with { or [ in quotes"
                raise self._error(key.line, "a name must be text, not a list or an object", fix)
            if key.text == "<<" and not key.tag:
                merged.extend(self._merge(value))
                continue
            if key.text in lines:
                self.duplicates.append(Duplicate(key.text, lines[key.text], key.line))
            lines.setdefault(key.text, key.line)
            entries.append((key, value))
        for key, value in merged:
            if key.text not in lines:
                lines[key.text] = key.line
                entries.append((key, value))
        return MappingNode(tuple(entries), opened.line)

    def _merge(self, value: Node) -> list[tuple[ScalarNode, Node]]:
        sources = value.items if isinstance(value, SequenceNode) else (value,)
        entries: list[tuple[ScalarNode, Node]] = []
        for source in sources:
            if not isinstance(source, MappingNode):
                raise self._error(value.line, "<< must refer to an object, or to a list of them", "write `<<: *name`")
            entries.extend(source.entries)
        return entries

    def _error(self, line: int, cause: str, fix: str) -> ManifestError:
        return ManifestError([Problem(self._file, line, "", cause, fix)])


def _tag_fault(node: ScalarNode) -> str:
    """Return why a tagged scalar can't be what its tag says, or nothing."""
    if node.tag == "binary":
        try:
            _text(node)
        except ValueError:  # other signs than base64's, a wrong length, no UTF-8
            return "the value tagged !!binary is not text in base64"
    kinds: dict[str, type | tuple[type, ...]] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}
    if node.tag in kinds:
        value = resolve(node.text)
        if not isinstance(value, kinds[node.tag]) or (isinstance(value, bool) and node.tag != "bool"):
            return f"the value tagged !!{node.tag} is something else"
    return ""
