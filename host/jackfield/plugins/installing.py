"""Installing a plugin's distribution with the installer that this environment has."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from jackfield.errors import ConfigurationError

__all__ = ["distribution_of", "install_command", "requirement_of", "shown"]

_PREFIX = "jackfield-"
_ARCHIVES = (".whl", ".tar.gz", ".zip")


def requirement_of(name: str) -> str:
    """Turn what a person calls a plugin into what an installer installs.

    Args:
        name: ``echo``, ``jackfield-echo``, either with a version range, a path, an archive or a URL.

    Returns:
        A requirement. A name gets the prefix ``jackfield-`` unless it has it, so that ``install echo`` never fetches
        an unrelated package called echo; an existing path becomes absolute.

    Raises:
        ConfigurationError: it is none of these.
    """
    if name and Path(name).exists() and (_is_place(name) or not _is_requirement(name)):
        return str(Path(name).absolute())
    if name.startswith("-") or not (_is_place(name) or _is_requirement(name)):
        raise ConfigurationError(
            f"{name!r} names no plugin; write a name such as echo, a requirement such as 'echo>=0.1', a path or a URL"
        )
    if _is_place(name) or canonicalize_name(Requirement(name).name).startswith(_PREFIX):
        return name
    return _PREFIX + name


def distribution_of(requirement: str) -> str | None:
    """Say which distribution a requirement from ``requirement_of`` installs; None where only the installer knows."""
    path = Path(requirement)
    try:
        if path.is_dir():
            project = tomllib.loads((path / "pyproject.toml").read_text("utf-8"))
            return canonicalize_name(project["project"]["name"])
        if path.suffix == ".whl":
            return parse_wheel_filename(path.name)[0]
        if path.name.endswith(_ARCHIVES):
            return parse_sdist_filename(path.name)[0]
        return canonicalize_name(Requirement(requirement).name)
    except (OSError, KeyError, TypeError, ValueError):
        # Whatever is wrong with it, the installer says so in better words.
        return None


def install_command(requirement: str, *, upgrade: bool = False, editable: bool = False) -> list[str]:
    """Return the command that installs a requirement into this environment: by pip if it is here, else by uv.

    Raises:
        ConfigurationError: neither is here.
    """
    if find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install"]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--python", sys.executable]
    elif find_spec("uv"):
        command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
    else:
        raise ConfigurationError(
            f"neither pip nor uv is here to install with; get pip with: {sys.executable} -m ensurepip"
        )
    if upgrade:
        command.append("--upgrade")
    if editable:
        command.append("--editable")
    return [*command, requirement]


def shown(command: list[str]) -> str:
    """Write a command as a shell would take it, with the password of a URL masked."""
    return re.sub(r"://[^/@\s]+@", "://***@", shlex.join(command))


def _is_place(name: str) -> bool:
    return "/" in name or "\\" in name or name.startswith(".") or name.endswith(_ARCHIVES)


def _is_requirement(name: str) -> bool:
    try:
        Requirement(name)
    except InvalidRequirement:
        return False
    return True
