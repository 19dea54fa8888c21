"""List a folder's manifest files with what tells whether they have changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jackfield.errors import Problem

__all__ = ["UNKNOWN", "Listing", "Signature", "list_folder"]

_EXTENSIONS = (".yaml", ".yml")


class Signature(NamedTuple):
    """What changes when a file changes, seen through symlinks."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """Take a file's signature from its status."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


UNKNOWN = Signature(0, 0, -1, 0)
"""The signature of what is there and can't be looked at, such as a symlink that points to nothing."""


@dataclass(frozen=True)
class Listing:
    """A folder's files.

    Attributes:
        folder: the folder's path as the operator wrote it.
        readable: false if the folder is missing or can't be read.
        files: the signature of each manifest file by path, in lexical order.
        others: a notice for each file that is no manifest.
        problems: why the folder can't be read.
    """

    folder: str
    readable: bool
    files: Mapping[str, Signature]
    others: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def list_folder(folder: str) -> Listing:
    """List a folder. Hidden files, what editors leave behind, and subfolders are passed over in silence."""
    files: dict[str, Signature] = {}
    others = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if _is_leftover(entry.name):
                    continue
                if not entry.name.lower().endswith(_EXTENSIONS):
                    others += _other(entry)
                    continue
                _add(entry, files)
    except OSError as error:
        fix = "create it, or name another with --manifests"
        cause = f"the folder of manifests can't be read ({error.strerror})"
        return Listing(folder, readable=False, files={}, problems=(Problem(folder, 0, "", cause, fix),))
    return Listing(folder, readable=True, files=files, others=tuple(others))


def _add(entry: os.DirEntry[str], files: dict[str, Signature]) -> None:
    try:
        status = entry.stat()
    except FileNotFoundError:
        if entry.is_symlink():
            files[entry.path] = UNKNOWN
        return
    except OSError:
        files[entry.path] = UNKNOWN
        return
    if stat.S_ISREG(status.st_mode):
        files[entry.path] = Signature.of(status)


def _is_leftover(name: str) -> bool:
    return name.startswith((".", "#")) or name.endswith(("~", ".swp", ".swx", ".tmp", ".bak", ".orig", ".rej"))


def _other(entry: os.DirEntry[str]) -> list[Problem]:
    if not entry.is_file():
        return []
    fix = "name a manifest .yaml or .yml"
    return [Problem(entry.path, 0, "", "the file is no YAML and is not loaded", fix, severity="notice")]
