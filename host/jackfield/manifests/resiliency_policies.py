"""Read the policies of a Resiliency manifest (contract sheet, section 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jackfield.durations import parse_resiliency
from jackfield.manifests.fields import Field, Reader, is_null, kind_of
from jackfield.manifests.scalars import resolve
from jackfield.manifests.spelling import nearest
from jackfield.manifests.yaml import MappingNode, Node, ScalarNode
from jackfield.resilience.definitions import BreakerPolicy, RetryPolicy, TimeoutPolicy
from jackfield.resilience.statuses import parse_statuses
from jackfield.resilience.trip import DEFAULT_TRIP, InvalidTrip, Trip, compile_trip

__all__ = ["Named", "named", "read_breaker", "read_retry", "read_timeout"]

_RETRY_KINDS = ("constant", "exponential")


class Named(NamedTuple):
    """An entry of an object whose keys are names; ``node`` is None for null."""

    name: str
    node: Node | None
    path: str
    line: int


def named(reader: Reader, field: Field | None, path: str) -> Iterator[Named]:
    """Read an object whose keys are names, which are told apart by case."""
    if field is None:
        return
    if not isinstance(field.node, MappingNode):
        reader.report(path, f"must be an object, not {kind_of(field.node)}", "write `name: ...` lines", line=field.line)
        return
    for key, value in field.node.entries:
        where = f"{path}.{key.text}"
        reader.lines[where] = key.line
        yield Named(key.text, None if is_null(value) else value, where, key.line)


def read_timeout(reader: Reader, entry: Named) -> TimeoutPolicy:
    """Read one time limit."""
    field = Field(entry.node, entry.line) if entry.node is not None else None
    if field is None:
        reader.report(entry.path, "has no value", "write a duration such as 30s", line=entry.line)
    return TimeoutPolicy(entry.name, _duration(reader, field, entry.path, 0.0))


def read_retry(reader: Reader, entry: Named) -> RetryPolicy:
    """Read one retry policy."""
    path = entry.path
    fields = reader.fields(entry.node, path, ("policy", "duration", "maxInterval", "maxRetries", "matching"))
    most = _whole(reader, fields.get("maxRetries"), f"{path}.maxRetries", -1)
    return RetryPolicy(
        entry.name,
        exponential=_is_exponential(reader, fields.get("policy"), f"{path}.policy"),
        duration=_duration(reader, fields.get("duration"), f"{path}.duration", 5.0),
        max_interval=_duration(reader, fields.get("maxInterval"), f"{path}.maxInterval", 60.0),
        max_retries=None if most < 0 else most,
        statuses=_matching(reader, fields.get("matching"), f"{path}.matching"),
    )


def read_breaker(reader: Reader, entry: Named) -> BreakerPolicy:
    """Read one circuit breaker."""
    path = entry.path
    fields = reader.fields(entry.node, path, ("maxRequests", "interval", "timeout", "trip"))
    most = _whole(reader, fields.get("maxRequests"), f"{path}.maxRequests", 1)
    if most < 0:
        reader.report(f"{path}.maxRequests", f"must be at least 1, not {most}", "write how many trial calls may run")
    return BreakerPolicy(
        entry.name,
        max_requests=max(most, 1),
        interval=_duration(reader, fields.get("interval"), f"{path}.interval", 0.0),
        timeout=_duration(reader, fields.get("timeout"), f"{path}.timeout", 60.0) or 60.0,
        trip=_trip(reader, fields.get("trip"), f"{path}.trip"),
    )


def _duration(reader: Reader, field: Field | None, path: str, default: float) -> float:
    text = reader.text(field, path)
    if not text:
        return default
    try:
        return parse_resiliency(text)
    except ValueError as error:
        cause, _, fix = str(error).partition("; ")
        reader.report(path, cause, fix or "write a duration such as 30s")
        return default


def _whole(reader: Reader, field: Field | None, path: str, default: int) -> int:
    if field is None:
        return default
    node = field.node
    found = resolve(node.text) if isinstance(node, ScalarNode) and node.tag in {"", "int"} else None
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    fix = "take away the quotes" if isinstance(node, ScalarNode) and node.tag == "str" else "write a number such as 3"
    reader.report(path, f"must be a whole number, not {kind_of(node)}", fix, line=field.line)
    return default


def _is_exponential(reader: Reader, field: Field | None, path: str) -> bool:
    kind = reader.text(field, path)
    if kind and kind.lower() not in _RETRY_KINDS:
        near = nearest(kind, _RETRY_KINDS)
        fix = f"did you mean {near}?" if near else f"write {' or '.join(_RETRY_KINDS)}"
        reader.report(path, f"there is no retry policy {kind[:40]!r}", fix)
    return kind.lower() == "exponential"


def _matching(reader: Reader, field: Field | None, path: str) -> frozenset[int] | None:
    fields = reader.fields(field.node if field else None, path, ("httpStatusCodes", "gRPCStatusCodes"))
    if "gRPCStatusCodes" in fields:
        text = "has no effect here: providers are called over HTTP"
        reader.report(f"{path}.gRPCStatusCodes", text, severity="notice")
    path = f"{path}.httpStatusCodes"
    text = reader.text(fields.get("httpStatusCodes"), path)
    try:
        return parse_statuses(text) if text.strip() else None
    except ValueError as error:
        reader.report(path, str(error), 'write statuses and ranges with commas, such as "429,500-599"')
        return None


def _trip(reader: Reader, field: Field | None, path: str) -> Trip:
    text = reader.text(field, path)
    if not text.strip():
        return DEFAULT_TRIP
    try:
        return compile_trip(text)
    except InvalidTrip as error:
        reader.report(path, error.cause, error.fix)
        return DEFAULT_TRIP
