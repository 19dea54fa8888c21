"""The settings of a component type: what may stand in a manifest's ``spec.metadata``.

A plugin describes its settings as a pydantic model derived from ``Settings``, or from ``DaprSettings`` where the type
exists in Dapr and manifests written for daprd must keep working. The host decodes the manifest's items into it: names
in any case, ``envRef`` and secrets resolved, every error at once with its line.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr
from pydantic.alias_generators import to_camel

from jackfield import durations, quantities

__all__ = ["ByteSize", "DaprSettings", "Duration", "Secret", "Settings", "StringList"]


def _duration(value: Any) -> Any:
    return durations.parse_metadata(value) if isinstance(value, str) else value


def _byte_size(value: Any) -> Any:
    return quantities.parse(value) if isinstance(value, str) else value


def _string_list(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


Secret = SecretStr
"""Text that must never be shown: its ``repr`` is masked, and the host takes it out of every error text."""

Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds, written as a Go duration (``10m``) or a bare integer of seconds."""

ByteSize = Annotated[int, BeforeValidator(_byte_size)]
"""Bytes, written as Kubernetes writes a quantity (``64Mi``, ``1.5G``) or as a bare number."""

StringList = Annotated[list[str], BeforeValidator(_string_list)]
"""A list of texts, written as a YAML list or with commas."""


class Settings(BaseModel):
    """Settings whose names are ours: a name that isn't known is an error.

    Fields are written in snake_case and stand in manifests in camelCase; ``Field(validation_alias=AliasChoices(...))``
    names others. A field of type ``Secret`` holds a secret.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )


class DaprSettings(Settings):
    """Settings of a type that Dapr has too: an unknown name is a warning that offers the nearest known one.

    Text is read as daprd reads it (contract sheet, section 4.3): any text is a bool, of which only
    ``y yes true t on 1`` are true.
    """

    model_config = ConfigDict(extra="ignore")
