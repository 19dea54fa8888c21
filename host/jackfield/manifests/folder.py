"""Read the manifests of some folders again and again, parsing only what has changed.

The functions block, so the host calls them in a thread; one reader serves one thread at a time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jackfield.errors import ManifestError, Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.documents import decode_file, split
from jackfield.manifests.listing import UNKNOWN, Listing, Signature, list_folder
from jackfield.manifests.reading import parse_document
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.manifests.scope import excluded

__all__ = ["LARGEST_FILE", "SETTLE_SECONDS", "FileState", "FolderReader", "Scan", "read_file"]

SETTLE_SECONDS = 0.05
"""How long a file's size and time must have held still before it is read, and how long it must be gone to be gone."""

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of a file that is read: sixteen times what a ConfigMap can hold."""

_MOST_PROBLEMS = 1000


@dataclass(frozen=True, eq=False)
class FileState:
    """What one file says. A file that has not changed keeps its very object from scan to scan.

    Attributes:
        path: the file's path, the folder as the operator wrote it.
        documents: the component manifests in it that are meant for this app.
        excluded: those that are not, for their namespace or scopes; each has a notice in ``problems``.
        problems: everything that is to be said about the file.
        broken: true if some document could not be read, or the file itself: what was last seen in it and is not found
            in ``documents`` and ``resiliencies`` is to be kept.
        resiliencies: the Resiliency manifests in it that are meant for this app, those with errors too.
    """

    path: str
    documents: tuple[ComponentManifest, ...] = ()
    excluded: tuple[ComponentManifest, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: bool = False
    resiliencies: tuple[ResiliencyManifest, ...] = ()


@dataclass(frozen=True, eq=False)
class Scan:
    """What the folders say at one moment.

    Attributes:
        files: the state of every file by its path, in load order. A folder that can't be read keeps the files it had.
        folders: whether each folder could be read.
        problems: what is to be said about folders and about files that are no manifests. A file that is no YAML is
            named once; an unreadable folder each time.
        unsettled: true if some file is still being written; its previous state stands in ``files``, or none. Scan again
            after ``SETTLE_SECONDS``.
    """

    files: Mapping[str, FileState]
    folders: Mapping[str, bool]
    problems: tuple[Problem, ...] = ()
    unsettled: bool = False

    @property
    def manifests(self) -> tuple[ComponentManifest, ...]:
        """The component manifests of all files, in load order."""
        return tuple(manifest for file in self.files.values() for manifest in file.documents)

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """The problems of the scan and of all files."""
        return (*self.problems, *(problem for file in self.files.values() for problem in file.problems))


@dataclass(slots=True)
class _Known:
    """What is remembered of one file.

    Attributes:
        state: what it said when it was read last.
        read: its signature then.
        seen: the signature that it was listed with last.
        seen_at: when that was seen for the first time.
        missed_at: when it was missing for the first time; None while it is listed.
    """

    state: FileState | None
    read: Signature | None
    seen: Signature
    seen_at: float
    missed_at: float | None = None


class FolderReader:
    """Reads manifests from folders.

    Args:
        folders: in load order; none is read recursively.
        app_id: this app's id; manifests with other scopes are excluded.
        namespace: this app's namespace; None or empty accepts all.
    """

    def __init__(self, folders: Sequence[Path], *, app_id: str, namespace: str | None) -> None:
        self._folders = tuple(dict.fromkeys(str(folder) for folder in folders))
        self._app_id = app_id
        self._namespace = namespace
        self._known: dict[str, dict[str, _Known]] = {folder: {} for folder in self._folders}
        self._named: set[str] = set()

    def scan(self) -> Scan:
        """Look at all folders, read what has changed and settled, and say what they hold now."""
        files: dict[str, FileState] = {}
        folders: dict[str, bool] = {}
        problems: list[Problem] = []
        others: set[str] = set()
        unsettled = False
        for folder in self._folders:
            moment = time.monotonic()  # of what the listing says: the thread may rest between the two
            listing = list_folder(folder)
            folders[folder] = listing.readable
            problems += listing.problems
            if listing.readable:
                others |= {problem.file for problem in listing.others}
                problems += [problem for problem in listing.others if problem.file not in self._named]
                self._known[folder], waiting = self._look(listing, moment)
                unsettled |= waiting
            for path, known in self._known[folder].items():
                if known.state:
                    files[path] = known.state
        self._named = others
        return Scan(files, folders, tuple(problems), unsettled)

    def _look(self, listing: Listing, moment: float) -> tuple[dict[str, _Known], bool]:
        before = self._known[listing.folder]
        now: dict[str, _Known] = {}
        writing: list[str] = []
        changed: list[tuple[_Known, FileState | None, Signature | None]] = []
        clock = time.time_ns()
        for path, signature in listing.files.items():
            known = before.get(path)
            if known is None or known.seen != signature:
                state, read = (known.state, known.read) if known else (None, None)
                known = _Known(state, read, signature, moment)
            known.missed_at = None
            now[path] = known
            if known.read != signature:
                changed.append((known, known.state, known.read))
                if not (_settled(known, moment, clock) and self._read(path, known)):
                    writing.append(path)
        for known, state, read in changed:
            if _moves(_lost(state, known.state), writing):
                known.state, known.read = state, read  # it is read again when the other file is
        missing = _missing(before, listing, moment, writing)
        return (dict(sorted((now | missing).items())) if missing else now), bool(writing or missing)

    def _read(self, path: str, known: _Known) -> bool:
        """Read a file into ``known``, and return false if it changed meanwhile."""
        if known.seen.size > LARGEST_FILE:
            cause, fix = (
                f"the file is larger than {LARGEST_FILE >> 20} MiB",
                "split it, or take out what is no manifest",
            )
            known.read, known.state = (
                known.seen,
                FileState(path, problems=(Problem(path, 0, "", cause, fix),), broken=True),
            )
            return True
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - a Path for each of a thousand files costs more than the read
                data = file.read(LARGEST_FILE + 1)
                after = Signature.of(os.fstat(file.fileno()))
        except OSError as error:
            if isinstance(error, FileNotFoundError) and known.seen != UNKNOWN:
                return False
            fix = "see what it points to" if isinstance(error, FileNotFoundError) else "see who may read it"
            problem = Problem(path, 0, "", f"the file can't be read ({error.strerror})", fix)
            if known.state is None or known.state.problems != (problem,):
                known.state = FileState(path, problems=(problem,), broken=True)
            return True
        if after != known.seen:
            known.seen, known.seen_at = after, time.monotonic()
            return False
        known.read = known.seen
        known.state = read_file(path, data, app_id=self._app_id, namespace=self._namespace)
        return True


def read_file(path: str, data: bytes, *, app_id: str, namespace: str | None) -> FileState:
    """Read one file's bytes; what is wrong is in the state's problems.

    Args:
        path: the file's path, as it is to appear in problems.
        data: its content.
        app_id: this app's id.
        namespace: this app's namespace, if it has one.
    """
    try:
        parsed = [parse_document(document, file=path) for document in split(decode_file(data, path))]
    except ManifestError as error:
        return FileState(path, problems=_told(path, error.problems), broken=True)
    problems = [problem for document in parsed for problem in document.problems]
    included: list[ComponentManifest] = []
    left_out: list[ComponentManifest] = []
    for manifest in (document.manifest for document in parsed if document.manifest):
        notice = excluded(manifest, app_id=app_id, namespace=namespace)
        (left_out if notice else included).append(manifest)
        problems += [notice] if notice else []
    resiliencies: list[ResiliencyManifest] = []
    for resiliency in (document.resiliency for document in parsed if document.resiliency):
        notice = excluded(resiliency, app_id=app_id, namespace=namespace)
        resiliencies += [] if notice else [resiliency]
        problems += [notice] if notice else []
    broken = any(document.broken for document in parsed)
    return FileState(path, tuple(included), tuple(left_out), _told(path, problems), broken, tuple(resiliencies))


def _told(path: str, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return what is said of a file: all that is wrong, but not so much that it fills log and metadata."""
    if len(problems) <= _MOST_PROBLEMS:
        return tuple(problems)
    worst = sorted(problems, key=lambda problem: problem.severity != "error")[:_MOST_PROBLEMS]
    more = f"{len(problems) - len(worst)} more problems of this file are not listed"
    return (*worst, Problem(path, 0, "", more, "mend those that are", severity=worst[0].severity))


def _missing(
    before: Mapping[str, _Known], listing: Listing, moment: float, writing: Sequence[str]
) -> dict[str, _Known]:
    """The files that are gone and have not been for long: they count as they were.

    An editor may take a file away before it writes the new one, a folder that is made anew fills file by file, and one
    that is listed while its link is switched may show half of what it was. What was renamed is gone at once.
    """
    gone = {path: known for path, known in before.items() if path not in listing.files and known.state is not None}
    if not gone:
        return gone
    new = {signature for path, signature in listing.files.items() if path not in before}
    kept = {}
    for path, known in gone.items():
        known.missed_at = moment if known.missed_at is None else known.missed_at
        recent = moment - known.missed_at < SETTLE_SECONDS
        recent = recent or os.path.isfile(path)  # noqa: PTH113  it has come back since the folder was listed
        if not {known.read, known.seen} & new and (recent or _moves(_lost(known.state, None), writing)):
            kept[path] = known
    return kept


def _lost(before: FileState | None, after: FileState | None) -> set[str]:
    """The names that a file had and has no more, if that is certain."""
    if before is None or (after is not None and after.broken):
        return set()
    return _names(before) - (_names(after) if after is not None else set())


def _names(state: FileState) -> set[str]:
    components = {manifest.name for manifest in (*state.documents, *state.excluded)}
    return components | {manifest.name for manifest in state.resiliencies}


def _moves(names: set[str], writing: Sequence[str]) -> bool:
    """Whether a file that is being written mentions one of the names: then its document may be on its way there."""
    for path in writing if names else ():
        with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123  as above
            data = file.read(LARGEST_FILE)  # what grows beyond that will not be read
            if any(name.encode() in data for name in names):
                return True
    return False


def _settled(known: _Known, moment: float, clock: int) -> bool:
    return moment - known.seen_at >= SETTLE_SECONDS or clock - known.seen.modified_ns >= SETTLE_SECONDS * 1e9
