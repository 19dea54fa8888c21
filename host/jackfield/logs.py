"""Structured logs: one event a line, as ``key=value`` or JSON.

The field names are daprd's (contract sheet, section 8). Secrets and message text are never logged, which is why an
exception is logged by its kind and place and not by its text.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import NamedTuple, TextIO

__all__ = ["LogSettings", "configure", "frames", "place", "settings"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warning", "ERROR": "error", "CRITICAL": "fatal"}


def configure(
    *, level: str = "info", form: str = "text", app_id: str = "", stream: TextIO | None = None, **fields: object
) -> None:
    """Send the host's log to a stream.

    Args:
        level: ``debug``, ``info``, ``warn`` or ``error``.
        form: ``text`` for key=value lines, ``json`` for a JSON object a line.
        app_id: goes into every line where it is not empty.
        stream: standard error by default.
        fields: further fields of every line.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(form, app_id, fields))
    root = logging.getLogger("jackfield")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel({"warn": "WARNING"}.get(level.lower(), level.upper()))
    # What libraries and the event loop have to say goes the same way, from warnings up.
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)


class LogSettings(NamedTuple):
    """What ``configure`` was called with."""

    level: str = "info"
    form: str = "text"
    app_id: str = ""


def settings() -> LogSettings:
    """Return the settings in force, for a process that is to log in the same way."""
    root = logging.getLogger("jackfield")
    forms = [handler.formatter for handler in root.handlers if isinstance(handler.formatter, _Formatter)]
    if not forms:
        return LogSettings()
    return LogSettings(logging.getLevelName(root.level), forms[0].form, forms[0].app_id)


def frames(error: BaseException, *, most: int = 4) -> str:
    """Say where an exception was raised, innermost place first, without its text: ``file.py:12 in start < ...``."""
    places = traceback.extract_tb(error.__traceback__)[-most:]
    return " < ".join(f"{_short(place.filename)}:{place.lineno} in {place.name}" for place in reversed(places))


def place(frame: FrameType, line: int | None = None) -> str:
    """Say where a frame stands, or stood at a line: ``folder/file.py:12 in Provider.converse``."""
    return f"{_short(frame.f_code.co_filename)}:{line or frame.f_lineno} in {frame.f_code.co_qualname}"


def _short(path: str) -> str:
    return "/".join(path.rsplit("/", 2)[-2:])


class _Formatter(logging.Formatter):
    """Writes a record's own fields, then those given as ``extra``."""

    def __init__(self, form: str, app_id: str, fields: Mapping[str, object]) -> None:
        super().__init__()
        self.form = form
        self.app_id = app_id
        self._fields = fields

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": _LEVELS.get(record.levelname, record.levelname.lower()),
            "msg": record.getMessage(),
            "scope": record.name,
        }
        if self.app_id:
            fields["app_id"] = self.app_id
        fields |= self._fields
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = type(record.exc_info[1]).__name__
            fields["at"] = frames(record.exc_info[1])
        if self.form == "json":
            return _on_one_line(fields)
        return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items() if value is not None)


def _quoted(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    plain = text and all(character.isprintable() and character not in ' "=' for character in text)
    return text if plain else _on_one_line(text)


def _on_one_line(value: object) -> str:
    """Write JSON, without the line ends and terminal codes beyond ASCII that JSON lets stand."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value, default=str)
