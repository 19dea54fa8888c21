"""What a test looks through to be sure that something was never told."""

from __future__ import annotations

import logging

import pytest

__all__ = ["everything_logged"]


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged, at any level: texts, arguments, extra fields and exceptions."""
    formatter = logging.Formatter()
    pieces = []
    for record in caplog.records:
        pieces += [record.getMessage(), repr(vars(record))]
        if record.exc_info:
            pieces.append(formatter.formatException(record.exc_info))
    return "\n".join(pieces)
