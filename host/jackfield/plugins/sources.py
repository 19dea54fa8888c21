"""Which code of plugins is edited in place."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from jackfield.plugins.discovery import discover, matches
from jackfield.plugins.places import code_path

__all__ = ["Source", "editable_sources"]


@dataclass(frozen=True)
class Source:
    """The code of a distribution that is edited in place.

    Attributes:
        distribution: its name.
        path: the folder of a package, or the file of a single module.
    """

    distribution: str
    path: Path


def editable_sources(
    distributions: Iterable[Distribution], *, allow: Collection[str] | None = None, deny: Collection[str] = ()
) -> tuple[Source, ...]:
    """List the code of the plugins, and of the host, that is edited in place.

    A distribution counts as editable if its installer has noted that (``direct_url.json``, PEP 610), or if its code
    lies elsewhere than its metadata, as it does with a ``.pth`` file.

    Args:
        distributions: what is installed, in the order of the import path; they are read once.
        allow: the plugins that may be loaded, by their own or their distributions' names; None for all.
        deny: those that may not; stronger than ``allow``.
    """
    installed = list(distributions)
    plugins = [
        plugin
        for plugin in discover(installed)
        if not matches(plugin, deny) and (allow is None or matches(plugin, allow))
    ]
    modules = {(plugin.distribution, plugin.module.partition(".")[0]) for plugin in plugins}
    found: dict[Path, Source] = {}
    for name, module in sorted({*modules, ("jackfield", "jackfield")}):
        path = code_path(module)
        distribution = next((each for each in installed if _name(each) == name), None)
        if path is not None and distribution is not None and _is_editable(distribution, path):
            found.setdefault(path.resolve(), Source(name, path.resolve()))
    return tuple(found.values())


def _name(distribution: Distribution) -> str:
    try:
        return str(distribution.name)
    except (KeyError, TypeError, PackageNotFoundError):  # what Python's versions raise for missing metadata
        return ""


def _is_editable(distribution: Distribution, path: Path) -> bool:
    try:
        noted = json.loads(distribution.read_text("direct_url.json") or "{}")
    except (OSError, ValueError):
        noted = {}
    if isinstance(noted, dict) and isinstance(info := noted.get("dir_info"), dict) and info.get("editable") is True:
        return True
    site = Path(str(distribution.locate_file(""))).resolve()
    return not path.resolve().is_relative_to(site)
