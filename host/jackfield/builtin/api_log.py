"""A log line per conversation request (``--enable-api-logging``)."""

from __future__ import annotations

import logging

from jackfield.hookspecs import RegisterObservers, hookimpl
from jackfield.messages import Record

__all__ = ["register_observers"]

_log = logging.getLogger("jackfield.api")


@hookimpl
def register_observers(register: RegisterObservers) -> None:
    """Log every finished request; a record holds neither message text nor secrets."""
    register.request_finished(_write)


def _write(record: Record) -> None:
    fields: dict[str, object] = {
        "type": "request",
        "id": record.request_id,
        "api": record.api,
        "component": record.component,
        "served_by": record.served_by or None,
        "model": record.model or None,
        "status": record.status,
        "error_code": record.error_code or None,
        "ms": round(record.total_seconds * 1000, 3),
        "provider_ms": round(record.provider_seconds * 1000, 3),
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "cache": record.cache or None,
    }
    _log.info("converse", extra=fields)
