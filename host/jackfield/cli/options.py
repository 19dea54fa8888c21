"""Options as the command line declares them: each one is an environment variable too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["QUANTITY", "flag", "option"]

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class _Quantity(click.ParamType[int]):
    """A size as Kubernetes writes it: ``4Mi``, ``512Ki``, ``4194304``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]{0,2})", str(value).strip())
        if match is None or match[2] not in _FACTORS:
            self.fail(f"{value!r} is not a size; write bytes, or a number with Ki, Mi or Gi, such as 4Mi", param, ctx)
        return int(float(match[1]) * _FACTORS[match[2]])


QUANTITY = _Quantity()


def option(*names: str, **settings: Any) -> Callable[[CommandT], CommandT]:
    """Declare an option; its variable is ``JACKFIELD_`` and its first long name, unless ``envvar`` says otherwise."""
    long = next(name for name in names if name.startswith("--"))
    settings.setdefault("envvar", "JACKFIELD_" + long.removeprefix("--").replace("-", "_").upper())
    settings.setdefault("show_envvar", True)
    settings.setdefault("show_default", True)
    return click.option(*names, **settings)


def flag(*names: str, **settings: Any) -> Callable[[CommandT], CommandT]:
    """Declare a switch."""
    return option(*names, is_flag=True, show_default=False, **settings)
