"""What the log says of files: each problem once for as long as it holds, however often the folders are looked at."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from jackfield.errors import Problem
from jackfield.manifests.folder import FileState, Scan

__all__ = ["ProblemLog"]

_log = logging.getLogger("jackfield.host")


class ProblemLog:
    """Logs what is wrong with files and folders, and what is worth knowing of them."""

    def __init__(self) -> None:
        self._told: set[Problem] = set()
        self._looked_at: tuple[Mapping[str, FileState], tuple[Problem, ...]] | None = None

    def tell(self, scan: Scan) -> None:
        """Log what a scan has found and the one before it had not."""
        if (scan.files, scan.problems) == self._looked_at:
            return
        self._looked_at = (scan.files, scan.problems)
        told = dict.fromkeys(scan.all_problems)
        for problem in told:
            if problem not in self._told:
                level = {"error": logging.ERROR, "warning": logging.WARNING}.get(problem.severity, logging.INFO)
                _log.log(level, "%s", problem)
        self._told = set(told)
