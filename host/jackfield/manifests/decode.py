"""Decode a component's items into its settings, with every error at once (contract sheet, section 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jackfield.errors import ManifestError, Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.faults import explain, hide, locate, telling
from jackfield.manifests.matching import match
from jackfield.manifests.names import SettingsField, fields_of
from jackfield.manifests.resolve import Resolved, ResolvedItem
from jackfield.manifests.scalars import JSON
from jackfield.manifests.secrets import holds_any, secrets_in, secrets_of
from jackfield.manifests.values import convert
from jackfield.settings import DaprSettings, Settings

__all__ = ["Decoded", "decode", "inspect"]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A component's settings.

    Attributes:
        settings: an instance of each class asked for, in their order.
        problems: warnings and notices.
        secrets: every secret among the values, however it came there, to be taken out of what others may read.
    """

    settings: tuple[Settings, ...]
    problems: tuple[Problem, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


def decode(manifest: ComponentManifest, resolved: Resolved, classes: Sequence[type[Settings]]) -> Decoded:
    """Decode the items into one or several settings classes.

    Args:
        manifest: the manifest, for places in errors.
        resolved: its items with their values.
        classes: the settings classes; a name belongs to each class that has it. The last is the component type's own:
            if it derives from ``DaprSettings``, a name that no class knows is a warning, otherwise an error.

    Raises:
        ManifestError: one problem for each error, also those of ``resolved``, with file, line and
            ``spec.metadata.NAME``; no secret is in them.
    """
    decoder = _Decoder(manifest, resolved, classes)
    settings = tuple(decoder.build(cls) for cls in classes)
    problems = sorted(decoder.problems, key=lambda problem: problem.line)
    if any(problem.severity == "error" for problem in problems):
        raise ManifestError(problems)
    built = tuple(one for one in settings if one is not None)
    secrets = dict.fromkeys([*resolved.secrets, *(text for one in built for text in secrets_of(one))])
    return Decoded(built, tuple(problems), tuple(secrets))


def inspect(manifest: ComponentManifest, resolved: Resolved, classes: Sequence[type[Settings]]) -> tuple[Problem, ...]:
    """Return all that ``decode`` would say, where what fails only for an unset secret or variable is a warning."""
    decoder = _Decoder(manifest, resolved, classes, lenient=True)
    for cls in classes:
        decoder.build(cls)
    return tuple(sorted(decoder.problems, key=lambda problem: problem.line))


class _Decoder:
    """Decodes one manifest and collects the problems."""

    def __init__(
        self,
        manifest: ComponentManifest,
        resolved: Resolved,
        classes: Sequence[type[Settings]],
        *,
        lenient: bool = False,
    ) -> None:
        self._manifest = manifest
        self._lenient = lenient
        self._hidden = set(resolved.secrets)
        self._fields = {cls: fields_of(cls) for cls in classes}
        self._given, self.problems = match(manifest, resolved, self._fields)
        self.problems += [problem for problem in resolved.problems if problem.severity == "error"]

    def build(self, cls: type[Settings]) -> Settings | None:
        """Make an instance of one class; None if that can't be done."""
        given = self._given[cls]
        data: dict[str, JSON] = {}
        for one in self._fields[cls]:
            item = given.get(one.attribute)
            if item and self._counts(one, item, cls):
                value = convert(item.value, one, forgiving=issubclass(cls, DaprSettings))
                self._hidden.update(secrets_in(value, one.info.annotation))
                data[one.attribute] = value
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            self._refused(cls, telling(error.errors(include_url=False)))
            return None

    def _counts(self, field: SettingsField, item: ResolvedItem, cls: type[Settings]) -> bool:
        """Tell whether an item has a value for its field; an empty one may be no value, or an error."""
        if item.value != "" or field.is_bool:
            return item.value is not None and not (field.is_bool and item.unset and not issubclass(cls, DaprSettings))
        if field.info.is_required() and field.takes_text:
            reason = f", as {item.unset} has no value" if item.unset else ""
            self._report(item, f"is empty{reason}", "set it" if item.unset else "give it a value")
            return True
        if field.takes_text or (field.takes_structure and not item.unset):
            return True
        if not item.unset and not issubclass(cls, DaprSettings):
            self._report(item, "is empty", "give it a value or take the item out")
        return False

    def _refused(self, cls: type[Settings], details: Iterable[ErrorDetails]) -> None:
        fields = {name: field for field in self._fields[cls] for name in (*field.names, field.attribute)}
        for detail in details:
            head, *path = detail["loc"] or ("",)
            field = fields.get(str(head))
            item = self._given[cls].get(field.attribute) if field else None
            if field is None:
                cause = hide(explain(detail, hidden=False)[0], self._hidden)
                self.problems.append(self._manifest.problem("spec.metadata", cause))
            elif item is None or (detail["type"] == "missing" and not path):
                self._missing(field, item)
            else:
                cause, fix = explain(detail, hidden=item.from_secret or holds_any(detail["input"], self._hidden))
                inner, line = locate(path, item.value, item.item.node)
                self._report(item, hide(cause, self._hidden), fix, inner=inner, line=line)

    def _missing(self, field: SettingsField, item: ResolvedItem | None) -> None:
        how = "`secretKeyRef`, `envRef` or `value`" if field.is_secret else "a `value`"
        if item is None:
            path = f"spec.metadata.{field.name}"
            fix = f"add `- name: {field.name}` with {how} to spec.metadata"
            line = self._manifest.line_of("spec.metadata")
            self.problems.append(self._manifest.problem(path, "is missing", fix, line=line))
        elif item.unset:
            self._report(item, f"is empty, as {item.unset} has no value", "set it")
        else:
            self._report(item, "has no value", f"give it {how}")

    def _report(self, item: ResolvedItem, cause: str, fix: str, *, inner: str = "", line: int = 0) -> None:
        path = f"{item.item.field}{inner}"
        if any(problem.field == path and problem.cause == cause for problem in self.problems):
            return
        severity = "warning" if self._lenient and item.unset else "error"
        self.problems.append(self._manifest.problem(path, cause, fix, line=line or item.line, severity=severity))
