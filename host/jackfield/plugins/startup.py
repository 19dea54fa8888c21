"""Code that runs whenever Python starts: the lines of ``.pth`` files that begin with ``import`` (Python's ``site``)."""

from __future__ import annotations

import site
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["Findings", "Installed", "site_folders", "startup_code"]

_LARGEST = 1 << 20
_VIRTUALENV = "import _virtualenv"
"""The whole of ``_virtualenv.pth``, which virtualenv and uv put into each environment that they make."""


@dataclass(frozen=True)
class Installed:
    """Whose a file is.

    Attributes:
        name: the distribution that brought it.
        fault: what is wrong with it; empty if it is what was installed.
    """

    name: str
    fault: str


class Owners(Protocol):
    """Knows whose files are."""

    def owner(self, path: Path) -> Installed | None:
        """Find the distribution that brought a file; None if none did."""


@dataclass
class Findings:
    """What was found, a line each.

    Attributes:
        problems: what is wrong, with its cause and the fix.
        notes: what is in order and worth knowing, such as what can't be verified.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def site_folders() -> list[Path]:
    """List the folders whose ``.pth`` files Python reads when it starts."""
    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return [Path(folder) for folder in dict.fromkeys(folders)]


def startup_code(folders: Iterable[Path], owners: Owners) -> Findings:
    """List the ``.pth`` files that run code, with whose they are."""
    found = Findings()
    for path in sorted(path for folder in folders for path in folder.glob("*.pth")):
        try:
            text = _text(path)
        except OSError as error:
            fix = "look into it before a process starts again, or remove it"
            found.problems.append(f"{path}: what Python reads when it starts can't be read ({error}); {fix}")
            continue
        if not any(line.startswith(("import ", "import\t")) for line in text.splitlines()):
            continue
        owner = owners.owner(path)
        says = f"{path}: runs code whenever Python starts"
        if owner is None and text.strip() == _VIRTUALENV:
            found.notes.append(f"{says}; of no distribution, as virtualenv and uv put it into their environments")
        elif owner is None:
            fix = "find out who put it there, and remove it"
            found.problems.append(f"{says}, and is of no distribution; {fix}")
        elif owner.fault:
            found.problems.append(f"{says}; of {owner.name}, but it {owner.fault}; install {owner.name} again")
        else:
            found.notes.append(f"{says}; of {owner.name}")
    return found


def _text(path: Path) -> str:
    if not path.is_file():
        raise OSError("it is no plain file")
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8-sig", "replace")
