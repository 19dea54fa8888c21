"""Where the secrets are among a component's values."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from jackfield.manifests.names import holds_secret, leaves, names_of
from jackfield.manifests.scalars import JSON

__all__ = ["holds_any", "secrets_in", "secrets_of", "texts_in"]


def texts_in(value: object) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from texts_in(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from texts_in(entry)


def secrets_in(value: JSON, annotation: object) -> Iterator[str]:
    """Yield the texts of a value that is not validated yet which stand where a type has a secret.

    Args:
        value: what is to be validated.
        annotation: the type it is to become.
    """
    for leaf in leaves(annotation):
        if leaf is SecretStr or (isinstance(value, str) and holds_secret(leaf)):
            yield from texts_in(value)
        elif isinstance(value, dict) and isinstance(leaf, type) and issubclass(leaf, BaseModel):
            for attribute, info in leaf.model_fields.items():
                for name in {attribute, *names_of(attribute, info)} & value.keys():
                    yield from secrets_in(value[name], info.annotation)
        elif isinstance(value, (dict, list)):
            for entry in value.values() if isinstance(value, dict) else value:
                for argument in typing.get_args(leaf):
                    yield from secrets_in(entry, argument)


def secrets_of(value: object) -> Iterator[str]:
    """Yield every secret in a validated value."""
    if isinstance(value, SecretStr):
        if text := value.get_secret_value():
            yield text
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_of(getattr(value, name))
    elif isinstance(value, dict):
        for entry in value.values():
            yield from secrets_of(entry)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for entry in value:
            yield from secrets_of(entry)


def holds_any(value: object, secrets: set[str]) -> bool:
    """Tell whether any text of a value has a secret in it, or is part of one."""
    return any(secret in text or text in secret for text in texts_in(value) if text for secret in secrets if secret)
