"""What the log says of files."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from jackfield.errors import Problem
from jackfield.manifests.folder import FileState, Scan
from jackfield.reload.problem_log import ProblemLog

_WRONG = Problem("a.yaml", 3, "spec", "it is wrong", "mend it")
_ODD = Problem("a.yaml", 4, "spec", "it is odd", "look at it", severity="warning")


def _scan(problems: Sequence[Problem]) -> Scan:
    return Scan({"a.yaml": FileState("a.yaml", problems=tuple(problems))}, {".": True})


def test_a_problem_is_logged_once_for_as_long_as_it_holds(caplog: pytest.LogCaptureFixture) -> None:
    """A later scan that finds it too adds nothing; one that has been away is logged again. Each has its level."""
    caplog.set_level(logging.INFO, "jackfield.host")
    problems = ProblemLog()
    told = []
    for found in ([_WRONG], [_WRONG], [_WRONG, _ODD], [_ODD], [_WRONG, _ODD]):
        caplog.clear()
        problems.tell(_scan(found))
        told.append([(record.levelname, record.message) for record in caplog.records])
    wrong, odd = ("ERROR", str(_WRONG)), ("WARNING", str(_ODD))
    assert told == [[wrong], [], [odd], [], [wrong]]
