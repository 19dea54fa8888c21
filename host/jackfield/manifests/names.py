"""What a settings class is called in a manifest: the names of its fields and what each can hold."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from jackfield.settings import Settings

__all__ = ["SettingsField", "fields_of", "holds_secret", "leaves", "names_of"]

_SCALARS = (bool, int, float)
_TEXTS = (str, SecretStr, Enum)


@dataclass(frozen=True)
class SettingsField:
    """A field of a settings class.

    Attributes:
        attribute: the field's name in Python.
        names: as manifests write it: the canonical name, then its aliases.
        info: pydantic's description.
        is_secret: true if it holds a secret, or something that does.
        takes_text: true if any text may be its value.
        takes_structure: true if a list or an object may be its value.
        is_bool: true if it holds nothing but a boolean.
    """

    attribute: str
    names: tuple[str, ...]
    info: FieldInfo
    is_secret: bool
    takes_text: bool
    takes_structure: bool
    is_bool: bool

    @property
    def name(self) -> str:
        """The canonical name."""
        return self.names[0]


def fields_of(cls: type[Settings]) -> tuple[SettingsField, ...]:
    """Describe the fields of a settings class, in their order."""
    return tuple(_describe(attribute, info) for attribute, info in cls.model_fields.items())


def _describe(attribute: str, info: FieldInfo) -> SettingsField:
    members = [leaf for leaf in leaves(info.annotation) if leaf is not types.NoneType]
    classes = [leaf for leaf in members if isinstance(leaf, type)]
    anything = typing.Any in members or object in members
    literal = any(typing.get_origin(leaf) is typing.Literal for leaf in members)
    scalar = all(issubclass(leaf, (*_SCALARS, *_TEXTS)) for leaf in classes) and len(classes) == len(members)
    return SettingsField(
        attribute=attribute,
        names=names_of(attribute, info),
        info=info,
        is_secret=holds_secret(info.annotation),
        takes_text=anything
        or any(issubclass(leaf, (str, SecretStr)) and not issubclass(leaf, Enum) for leaf in classes),
        takes_structure=anything or not (scalar or literal),
        is_bool=bool(members) and all(leaf is bool for leaf in members),
    )


def leaves(annotation: object) -> Iterator[object]:
    """Yield the members of a union, without ``Annotated``."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from leaves(typing.get_args(annotation)[0])
    elif origin in {typing.Union, types.UnionType}:
        for member in typing.get_args(annotation):
            yield from leaves(member)
    else:
        yield annotation


def names_of(attribute: str, info: FieldInfo) -> tuple[str, ...]:
    """Return the names by which a field is known in manifests, the canonical one first."""
    camel = to_camel(attribute)
    alias = info.validation_alias
    others = [alias] if isinstance(alias, str) else []
    if isinstance(alias, AliasChoices):
        others = [choice for choice in alias.choices if isinstance(choice, str)]
        if camel.lower() not in {name.lower() for name in others}:
            others.insert(0, camel)
    unique = {name.lower(): name for name in reversed([*others, camel])}
    return tuple(unique[key] for key in dict.fromkeys(name.lower() for name in [*others, camel]))


def holds_secret(annotation: object, seen: frozenset[object] = frozenset()) -> bool:
    """Tell whether a secret may stand anywhere in values of a type."""
    if annotation is SecretStr:
        return True
    inner = list(typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen |= {annotation}
        inner += [info.annotation for info in annotation.model_fields.values()]
    return any(holds_secret(one, seen) for one in inner)
