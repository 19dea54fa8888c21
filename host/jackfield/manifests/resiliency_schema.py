"""JSON Schema of the Resiliency manifests, for editors (``jackfield schema``)."""

from __future__ import annotations

from typing import Any

from jackfield.manifests.kinds import API_VERSION, RESILIENCY

__all__ = ["resiliency_schema"]

_NAME = {"type": ["string", "number"], "description": "The name of a policy."}
_DURATION = {"type": ["string", "integer"]}
_STATUSES = {"type": ["string", "integer"], "pattern": r"^[\d,\s-]*$"}


def resiliency_schema() -> dict[str, Any]:
    """Describe a Resiliency manifest: its structure in the usual spelling, without ``$schema`` of its own."""
    policies = {
        "timeouts": _named(_about(_DURATION, "How long to wait: 30s, or a number of milliseconds; 0 for no limit.")),
        "retries": _named(_retry()),
        "circuitBreakers": _named(_breaker()),
    }
    outbound = {"timeout": _NAME, "retry": _NAME, "circuitBreaker": _NAME}
    target = {"outbound": _object(outbound), "inbound": _about({"type": ["object", "null"]}, "Without effect.")}
    targets = {
        "components": _named(_object(target)),
        "apps": _about({}, "Without effect."),
        "actors": _about({}, "Without effect."),
    }
    return {
        "description": "Timeouts, retries and circuit breakers.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": RESILIENCY},
            "metadata": _object({"name": {"type": ["string", "number"]}, "namespace": {"type": ["string", "number"]}}),
            "spec": _object({"policies": _object(policies), "targets": _object(targets)}),
            "scopes": _about({"type": "array"}, "The app ids that it is for; all by default."),
        },
    }


def _retry() -> dict[str, Any]:
    return _object(
        {
            "policy": {"enum": ["constant", "exponential"], "description": "constant by default."},
            "duration": _about(_DURATION, "The wait of a constant policy; 5s by default."),
            "maxInterval": _about(_DURATION, "The longest growing wait, and the longest Retry-After; 60s by default."),
            "maxRetries": _about({"type": "integer"}, "How many repeats; -1, the default, is without limit."),
            "matching": _object(
                {
                    "httpStatusCodes": _about(_STATUSES, "The provider's statuses to repeat, such as 429,500-599."),
                    "gRPCStatusCodes": _about({}, "Without effect."),
                }
            ),
        }
    )


def _breaker() -> dict[str, Any]:
    variables = "requests, totalSuccesses, totalFailures, consecutiveSuccesses, consecutiveFailures"
    return _object(
        {
            "maxRequests": _about({"type": "integer", "minimum": 0}, "Trial calls while half-open; 1 by default."),
            "interval": _about(_DURATION, "When a closed breaker counts anew; 0, the default, is never."),
            "timeout": _about(_DURATION, "How long it stays open; 60s by default."),
            "trip": _about({"type": "string"}, f"When it opens: CEL over {variables}."),
        }
    )


def _named(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": value}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "properties": properties}


def _about(schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {**schema, "description": text}
