"""What an installer has noted of a distribution's files (``RECORD``), beside what is there. No code of it is run."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

__all__ = ["Entry", "entries", "fault", "site_of"]

_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})
"""Those that the specification of RECORD allows (packaging.python.org, "Recording installed projects")."""
_UNHASHED = (".pyc", "/RECORD", "/RECORD.jws", "/RECORD.p7s")
"""Ends of the names of files for which it asks for no hash."""


@dataclass(frozen=True)
class Entry:
    """One line of a RECORD.

    Attributes:
        name: the file, relative to the folder that holds the distribution, with slashes.
        hash: ``ALGORITHM=DIGEST``; empty if none is noted.
        size: in bytes; None if none is noted.
    """

    name: str
    hash: str = ""
    size: int | None = None


def site_of(distribution: Distribution) -> Path:
    """Return the folder to which the names in a distribution's RECORD are relative."""
    return Path(str(distribution.locate_file("")))


def entries(text: str) -> Mapping[str, Entry]:
    """Read a RECORD, by name; ``Distribution.files`` leaves out what is missing since Python 3.12.

    Raises:
        ValueError: it is not of the form.
    """
    return {entry.name: entry for entry in _read(text)}


def fault(site: Path, entry: Entry) -> str:
    """Say what is wrong with a file; empty if it is what was installed.

    What is no plain file is not opened: it could be a pipe that nobody writes to.
    """
    path = site / entry.name
    try:
        found = path.stat()
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"can't be read ({error.strerror})"
    if not stat.S_ISREG(found.st_mode):
        return "is no plain file"
    if not entry.hash:
        return "" if entry.name.endswith(_UNHASHED) else "has no hash in RECORD"
    algorithm, _, digest = entry.hash.partition("=")
    if algorithm not in _ALGORITHMS:
        return f"has a hash of the kind {algorithm[:20]!r} in RECORD, which proves nothing"
    if entry.size is not None and found.st_size != entry.size:
        return f"is not what was installed: it has {found.st_size} bytes instead of {entry.size}"
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, algorithm).digest()
    except OSError as error:
        return f"can't be read ({error.strerror or os.strerror(error.errno or 0)})"
    told = base64.urlsafe_b64encode(actual).rstrip(b"=").decode()
    return "" if told == digest.rstrip("=") else f"is not what was installed: it has another {algorithm}"


def _read(text: str) -> Iterator[Entry]:
    try:
        rows = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise ValueError(f"RECORD can't be read: {error}") from None
    for row in rows:
        if not row:
            continue
        name, noted, size = (*row, "", "")[:3]
        if "\0" in name or not name:
            raise ValueError("RECORD can't be read: it names a file by what can be no name")
        yield Entry(name.replace("\\", "/"), noted, int(size) if size.isascii() and size.isdigit() else None)
