"""Options as the command line declares them: each one is an environment variable too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from jackfield import quantities

__all__ = ["QUANTITY", "SECONDS", "flag", "option"]

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class _Quantity(click.ParamType[int]):
    """A size as Kubernetes writes it: ``4Mi``, ``512Ki``, ``4194304``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return quantities.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Seconds(click.FloatRange):
    """Seconds, up to a day; NaN is out of every range, and click lets it pass."""

    def __init__(self) -> None:
        super().__init__(min=0, max=86_400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds; write one such as 5 or 0.5", param, ctx)
        return seconds


QUANTITY = _Quantity()
SECONDS = _Seconds()


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
