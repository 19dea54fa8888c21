"""When a circuit breaker opens: its ``trip`` expression, in CEL.

The library is imported for the first expression that isn't the default one: most manifests need none of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

from jackfield.manifests.spelling import nearest

__all__ = ["DEFAULT_TRIP", "Counts", "InvalidTrip", "Trip", "TripFailed", "compile_trip"]

_DEFAULT = "consecutiveFailures > 5"
_VARIABLES = ("requests", "totalSuccesses", "totalFailures", "consecutiveSuccesses", "consecutiveFailures")
_FIX = "write a condition such as `consecutiveFailures > 5` or `requests >= 10 && totalFailures * 2 > requests`"
_UNKNOWN_NAME = re.compile(r"undeclared reference to '([^']*)'")
_POSITION = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_LONGEST = 120


@dataclass(slots=True)
class Counts:
    """What a breaker has counted since it last changed its state, or since its interval began.

    Attributes:
        requests: calls let through, those that still run included.
        total_successes: calls that succeeded.
        total_failures: calls that failed.
        consecutive_successes: successes since the last failure.
        consecutive_failures: failures since the last success.
    """

    requests: int = 0
    total_successes: int = 0
    total_failures: int = 0
    consecutive_successes: int = 0
    consecutive_failures: int = 0

    def succeeded(self) -> None:
        """Count a success."""
        self.total_successes += 1
        self.consecutive_successes += 1
        self.consecutive_failures = 0

    def failed(self) -> None:
        """Count a failure."""
        self.total_failures += 1
        self.consecutive_failures += 1
        self.consecutive_successes = 0


class InvalidTrip(ValueError):
    """An expression can't be used.

    Args:
        cause: why.
        fix: what to do about it.
    """

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix


class TripFailed(Exception):
    """An expression that is in order gave no answer for some counts, such as a division by zero."""


class _Value(Protocol):
    def value(self) -> object: ...


class _Program(Protocol):
    def eval(self, *, data: dict[str, int]) -> _Value: ...


@dataclass(frozen=True, slots=True)
class Trip:
    """A compiled expression; two are equal if they are written the same."""

    text: str
    program: _Program | None = field(default=None, compare=False, repr=False)

    def holds(self, counts: Counts) -> bool:
        """Say whether the breaker is to open.

        Raises:
            TripFailed: the expression has no value for these counts.
        """
        if self.program is None:
            return counts.consecutive_failures > 5
        values = (
            counts.requests,
            counts.total_successes,
            counts.total_failures,
            counts.consecutive_successes,
            counts.consecutive_failures,
        )
        answer = self.program.eval(data=dict(zip(_VARIABLES, values, strict=True))).value()
        if isinstance(answer, bool):
            return answer
        raise TripFailed(str(answer)[:_LONGEST])


DEFAULT_TRIP = Trip(_DEFAULT)
"""More than five failures without a success between them."""


def compile_trip(text: str) -> Trip:
    """Compile an expression.

    Args:
        text: CEL over the integers ``requests``, ``totalSuccesses``, ``totalFailures``, ``consecutiveSuccesses`` and
            ``consecutiveFailures``.

    Raises:
        InvalidTrip: it isn't CEL, uses another variable, or is no boolean; or the library can't be imported.
    """
    if text.strip() == _DEFAULT:
        return DEFAULT_TRIP
    try:
        from cel_expr_python import cel  # type: ignore[import-untyped]  # its stubs lack the marker
    except ImportError as error:
        cause = f"{_shown(text)} can't be compiled: cel-expr-python can't be imported ({error})"
        raise InvalidTrip(cause, f"mend its installation, or use the default, `{_DEFAULT}`") from None
    environment = cel.NewEnv(variables=dict.fromkeys(_VARIABLES, cel.Type.INT))
    try:
        program = environment.compile(text)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InvalidTrip(*_explain(str(error), text)) from None
    if program.return_type() != cel.Type.BOOL:
        kind = str(program.return_type()).lower()
        raise InvalidTrip(f"{_shown(text)} is no condition: its value is of type {kind}, not bool", _FIX)
    return Trip(text, program)


def _explain(message: str, text: str) -> tuple[str, str]:
    """Turn the library's message into cause and fix."""
    if unknown := _UNKNOWN_NAME.search(message):
        name = unknown[1]
        near = nearest(name, _VARIABLES, likeness=0.6)
        fix = f"did you mean {near}?" if near else f"there are {', '.join(_VARIABLES)}"
        return f"{_shown(text)} uses {name[:40]!r}, which is not known there", fix
    place = _POSITION.search(message)
    if place is None:
        return f"{_shown(text)} can't be read: {message.splitlines()[0][:_LONGEST]}", _FIX
    said = place[3].partition(" expecting {")[0][:_LONGEST]
    return f"{_shown(text)} can't be read: {said} (line {place[1]}, column {place[2]} of the expression)", _FIX


def _shown(text: str) -> str:
    shown = " ".join(text.split())
    return f"`{shown}`" if len(shown) <= _LONGEST else f"`{shown[:_LONGEST]}...`"
