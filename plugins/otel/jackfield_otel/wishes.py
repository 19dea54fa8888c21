"""What the operator's ``OTEL_*`` variables ask for; nothing is sent unless one names an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Wishes", "read_wishes"]

_OTHER_PROTOCOLS = frozenset({"grpc", "http/json"})


@dataclass(frozen=True)
class Wishes:
    """Where to send what.

    Attributes:
        traces: the address for spans; empty for none.
        metrics: the address for metrics; empty for none.
        content: whether spans may hold what was said.
        complaint: what the operator asked for and does not get; empty if there is nothing.
    """

    traces: str = ""
    metrics: str = ""
    content: bool = False
    complaint: str = ""


def read_wishes(environment: Mapping[str, str]) -> Wishes:
    """Read the variables that decide whether there is anything to do.

    The others (headers, timeouts, sampling, resource) are the SDK's to read. Source: OpenTelemetry's specification of
    environment variables and of the OTLP exporter.

    Args:
        environment: the process's.
    """
    if _said(environment, "OTEL_SDK_DISABLED") == "true":
        return Wishes()
    traces, metrics = _address(environment, "traces"), _address(environment, "metrics")
    content = _said(environment, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT") in {"true", "span_only"}
    protocol = _said(environment, "OTEL_EXPORTER_OTLP_PROTOCOL")
    complaint = ""
    if (traces or metrics) and protocol in _OTHER_PROTOCOLS:
        complaint = f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; this plugin sends http/protobuf, port 4318 as a rule"
    return Wishes(traces, metrics, content, complaint)


def _said(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip().lower()


def _address(environment: Mapping[str, str], signal: str) -> str:
    """Return where to send a signal: its own address as it stands, else the common one and the signal's path."""
    if _said(environment, f"OTEL_{signal.upper()}_EXPORTER") not in {"", "otlp"}:
        return ""
    own = environment.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    common = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    return own or (f"{common.rstrip('/')}/v1/{signal}" if common else "")
