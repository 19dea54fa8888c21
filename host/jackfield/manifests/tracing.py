"""A Configuration's ``tracing``, as the standard variables that jackfield-otel reads (contract sheet, section 8)."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.errors import Problem
from jackfield.manifests.fields import Field, Reader
from jackfield.manifests.yaml import to_json

__all__ = ["read_tracing", "unset"]

_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_COMMON_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_SAMPLER = "OTEL_TRACES_SAMPLER"
_LEAST = "0.0001"
"""daprd's sampling rate where the Configuration gives none, or no number."""


def read_tracing(file: str, reader: Reader, field: Field | None) -> tuple[dict[str, str], list[Problem]]:
    """Read ``spec.tracing``.

    Args:
        file: the Configuration's file.
        reader: reads its fields.
        field: the member.

    Returns:
        Variables by name, and notices of what has no effect.
    """
    path = "spec.tracing"
    if field is None or not to_json(field.node):
        return {}, []
    tracing = reader.fields(field.node, path, ("samplingRate", "stdout", "zipkin", "otel"), others=True)
    notices = [
        Problem(file, tracing[name].line, f"{path}.{name}", "has no effect in this host", severity="notice")
        for name in ("stdout", "zipkin")
        if name in tracing and to_json(tracing[name].node)
    ]
    variables: dict[str, str] = {}
    if "otel" in tracing:
        address, problem = _address(file, reader, tracing["otel"])
        variables = {_ENDPOINT: address} if address else {}
        notices += [problem] if problem is not None else []
    if variables or "samplingRate" in tracing:
        variables |= {_SAMPLER: "parentbased_traceidratio", f"{_SAMPLER}_ARG": _rate(tracing.get("samplingRate"))}
        notices.append(Problem(file, field.line, path, "counts where jackfield-otel is installed", severity="notice"))
    return variables, notices


def _address(file: str, reader: Reader, field: Field) -> tuple[str, Problem | None]:
    """Read where traces are to be sent; empty if nowhere, and why if that isn't what was asked for."""
    path = "spec.tracing.otel"
    otel = reader.fields(field.node, path, ("endpointAddress", "isSecure", "protocol"), others=True)
    address = reader.text(otel.get("endpointAddress"), f"{path}.endpointAddress").strip()
    protocol = reader.text(otel.get("protocol"), f"{path}.protocol").strip().lower()
    secure = "isSecure" not in otel or reader.boolean(otel["isSecure"], f"{path}.isSecure")
    if address and protocol != "http":
        line = otel["protocol"].line if "protocol" in otel else field.line
        cause = "is not http, so no traces are sent: there is no OTLP over gRPC"
        fix = "give the collector's address for HTTP, port 4318 as a rule, and write `protocol: http`"
        return "", Problem(file, line, f"{path}.protocol", cause, fix, severity="notice")
    base = address if "://" in address else f"{'https' if secure else 'http'}://{address}"
    return f"{base.rstrip('/')}/v1/traces" if address else "", None


def unset(variables: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return those of a Configuration's variables that the environment leaves open."""
    named = any(environment.get(name) for name in (_ENDPOINT, _COMMON_ENDPOINT))
    sampled = bool(environment.get(_SAMPLER))
    return {name: value for name, value in variables.items() if not (named if name == _ENDPOINT else sampled)}


def _rate(field: Field | None) -> str:
    written = str(to_json(field.node)) if field is not None else ""
    try:
        rate = float(written)
    except ValueError:
        return _LEAST
    return written if 0 <= rate <= 1 else _LEAST
