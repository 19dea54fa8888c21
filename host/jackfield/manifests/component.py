"""A component manifest: one ``kind: Component`` document, read and checked (contract sheet, section 4.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from jackfield.errors import Problem
from jackfield.manifests.documents import Document
from jackfield.manifests.scalars import JSON
from jackfield.manifests.yaml import Node

__all__ = ["DEFAULT_INIT_TIMEOUT", "ComponentManifest", "MetadataItem"]

DEFAULT_INIT_TIMEOUT = 5.0
"""Seconds that a component may take to start unless its manifest says otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class MetadataItem:
    """One item of ``spec.metadata``.

    Attributes:
        name: as written.
        value: the written text of a scalar, or the JSON of a list or object; None without a value.
        env_ref: the environment variable to take the value from; empty if none.
        secret_name: the secret to take it from; empty if none.
        secret_key: the entry of that secret; the secret's name unless the manifest says otherwise.
        line: the line on which the item begins.
        node: the value as parsed, for the lines inside it.
    """

    name: str
    line: int
    value: JSON = field(default=None, repr=False)
    env_ref: str = ""
    secret_name: str = ""
    secret_key: str = ""
    node: Node | None = field(default=None, repr=False)

    @property
    def has_value(self) -> bool:
        """True if the item has a value of its own, even an empty text."""
        return self.value is not None

    @property
    def field(self) -> str:
        """The item's path for a ``Problem``."""
        return f"spec.metadata.{self.name}"


@dataclass(frozen=True, eq=False)
class ComponentManifest:
    """What a document says about one component. Two that say the same have the same ``digest``.

    Attributes:
        file: the file's path as the operator wrote it.
        line: the line on which the document's content begins.
        document: the text it was read from, from which ``parse_document`` makes it again.
        name: the component's name.
        namespace: empty if none is given.
        type_name: the component type as written.
        version: ``v1``; also where the manifest says ``v0`` or nothing.
        written_version: what the manifest says, for the metadata endpoint (contract sheet, section 3.1).
        ignore_errors: whether the host may be ready without the component.
        init_timeout: seconds.
        items: the items of ``spec.metadata`` in their order.
        secret_store: the name in ``auth.secretStore``; empty if none.
        scopes: the app ids that may use it; empty means all.
        lines: the line of each field by its path.
    """

    file: str
    line: int
    name: str
    type_name: str
    document: Document = field(repr=False)
    namespace: str = ""
    version: str = "v1"
    written_version: str = "v1"
    ignore_errors: bool = False
    init_timeout: float = DEFAULT_INIT_TIMEOUT
    items: tuple[MetadataItem, ...] = ()
    secret_store: str = ""
    scopes: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def type_key(self) -> str:
        """The component type in lower case, as registries have it."""
        return self.type_name.lower()

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"

    @cached_property
    def digest(self) -> str:
        """A hash of everything that matters to the component; layout, comments and place don't."""
        items = [[item.name, item.value, item.env_ref, item.secret_name, item.secret_key] for item in self.items]
        facts = [self.name, self.namespace, self.type_key, self.version, self.ignore_errors, self.init_timeout]
        text = json.dumps([*facts, items, self.secret_store, sorted(self.scopes)], sort_keys=True)
        return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()

    def line_of(self, path: str) -> int:
        """Return the line of a field, or of the nearest field around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition(".")[0]
        return self.line

    def problem(self, path: str, cause: str, fix: str = "", *, line: int = 0, severity: str = "error") -> Problem:
        """Make a problem of this component, at the field's line unless another is given."""
        return Problem(self.file, line or self.line_of(path), path, cause, fix, self.name, severity)
