"""Read the objects of a manifest field by field: keys in any case, every problem collected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jackfield.errors import Problem
from jackfield.manifests.scalars import go_text, resolve
from jackfield.manifests.spelling import nearest
from jackfield.manifests.yaml import Duplicate, MappingNode, Node, ScalarNode, SequenceNode, written

__all__ = ["LEVELS", "Field", "Reader", "is_null", "kind_of"]

LEVELS = {
    "": ("apiVersion", "kind", "metadata", "spec", "auth", "scopes"),
    "metadata": ("name", "namespace"),
    "spec": ("type", "version", "ignoreErrors", "initTimeout", "metadata"),
    "auth": ("secretStore",),
}
"""The keys of each level of a component manifest, as they are written."""


class Field(NamedTuple):
    """A key's value, with the line of the key."""

    node: Node
    line: int


class Reader:
    """Collects what is wrong with one document while it is read.

    Args:
        file: the file's name.
        line: the document's line, for what has none of its own.
    """

    def __init__(self, file: str, line: int) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}
        self.file = file
        self.line = line

    def report(self, field: str, cause: str, fix: str = "", *, line: int = 0, severity: str = "error") -> None:
        """Note a problem; without a line it stands at the nearest field around it that has one."""
        self.problems.append(
            Problem(self.file, line or self._nearest_line(field), field, cause, fix, severity=severity)
        )

    def report_duplicates(self, duplicates: Iterable[Duplicate]) -> None:
        """Note the keys that an object of the document has twice."""
        for one in duplicates:
            cause = f"the key {one.key} stands in line {one.first_line} and again in line {one.line}"
            self.report("", cause, "keep one of the two", line=one.line)

    def fields(self, node: Node | None, path: str, known: tuple[str, ...], *, others: bool = False) -> dict[str, Field]:
        """Read an object.

        Args:
            node: the object; none and null have no fields.
            path: the object's own path, empty for the document.
            known: the keys it may have.
            others: true where unknown keys are nobody's business.

        Returns:
            The known fields that it has and that are not null, by their canonical key.
        """
        if node is None or is_null(node):
            return {}
        if not isinstance(node, MappingNode):
            whole = "" if path else "the document "
            fix = "" if path else "write `name: value` lines"
            self.report(path, f"{whole}must be an object, not {kind_of(node)}", fix, line=node.line)
            return {}
        by_lower = {key.lower(): key for key in known}
        found: dict[str, Field] = {}
        spelled: dict[str, ScalarNode] = {}
        for key, value in node.entries:
            name = by_lower.get(key.text.lower())
            if name is None:
                if not others:
                    self._unknown(key, path, known)
                continue
            where = f"{path}.{name}" if path else name
            if name in spelled and spelled[name].text != key.text:
                first = spelled[name]
                cause = f"is given as {first.text} in line {first.line} and as {key.text} in line {key.line}"
                self.report(where, cause, "keep one: keys are the same in any case", line=key.line)
            spelled[name] = key
            self.lines[where] = key.line
            if not is_null(value):
                found[name] = Field(value, key.line)
        return found

    def text(self, field: Field | None, path: str) -> str:
        """Read text; numbers and booleans count as the text that Go makes of them."""
        if field is None:
            return ""
        if not isinstance(field.node, ScalarNode):
            self.report(path, f"must be text, not {kind_of(field.node)}", line=field.line)
            return ""
        return field.node.text if field.node.tag else go_text(resolve(field.node.text))

    def boolean(self, field: Field | None, path: str) -> bool:
        """Read a boolean; text is an error, as it is in daprd."""
        if field is None:
            return False
        value = field.node
        found = resolve(value.text) if isinstance(value, ScalarNode) and value.tag in {"", "bool"} else None
        if isinstance(found, bool):
            return found
        fix = "take away the quotes" if isinstance(value, ScalarNode) and value.tag == "str" else "write true or false"
        self.report(path, f"must be true or false, not {kind_of(value)}", fix, line=field.line)
        return False

    def texts(self, field: Field | None, path: str) -> tuple[str, ...]:
        """Read a list of texts."""
        if field is None:
            return ()
        if not isinstance(field.node, SequenceNode):
            fix = "write one `- name` a line"
            self.report(path, f"must be a list, not {kind_of(field.node)}", fix, line=field.line)
            return ()
        items = (Field(item, item.line) for item in field.node.items if not is_null(item))
        return tuple(self.text(item, path) for item in items)

    def _unknown(self, key: ScalarNode, path: str, known: tuple[str, ...]) -> None:
        where = f"{path}.{key.text}" if path else key.text
        if near := nearest(key.text, known, likeness=0.75):
            fix = f"did you mean {near}?"
            self.report(where, "is not known and has no effect", fix, line=key.line, severity="warning")
            return
        for level, keys in LEVELS.items():
            if level != path and path in LEVELS and level != "metadata" and nearest(key.text, keys, likeness=1):
                place = f"under {level}" if level else "at the top level"
                fix = f"{nearest(key.text, keys, likeness=1)} stands {place}"
                self.report(where, "has no effect here", fix, line=key.line, severity="warning")
                return

    def _nearest_line(self, field: str) -> int:
        while field:
            if field in self.lines:
                return self.lines[field]
            field = field.rpartition(".")[0]
        return self.line


def is_null(node: Node) -> bool:
    """Tell whether a node is YAML's null: ``null``, ``~`` or nothing, unquoted."""
    return isinstance(node, ScalarNode) and written(node) is None


def kind_of(node: Node) -> str:
    """Name a node's kind for an error: ``a list``, ``an object``, ``text``, ``a number``, ``a boolean``, ``null``."""
    if isinstance(node, SequenceNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "an object"
    value = node.text if node.tag else resolve(node.text)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return "text" if isinstance(value, str) else "a number"
