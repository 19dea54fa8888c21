"""Whose code runs: from a stack to the plugin that is at work in it."""

from __future__ import annotations

from collections.abc import Iterable
from types import FrameType
from typing import NamedTuple, TypeAlias

from jackfield.logs import place
from jackfield.plugins.discovery import Candidate
from jackfield.plugins.records import PluginRecord

__all__ = ["Culprit", "Stack", "culprit", "raised_at", "stack"]

Stack: TypeAlias = tuple[tuple[str, str], ...]
"""The module and the place of each frame, the innermost first."""
_HOST = "jackfield"


class Culprit(NamedTuple):
    """Who is at work in a stack, and where. Neither variables nor lines of code are in it.

    Attributes:
        plugin: the plugin's name; empty if none is in the stack.
        distribution: the distribution that brings it, such as ``jackfield-echo``.
        version: the distribution's version.
        at: the innermost line of the plugin; where there is none, the innermost line at all.
        inside: the innermost line where the plugin called something else, such as a library; else empty.
    """

    plugin: str
    distribution: str
    version: str
    at: str
    inside: str = ""

    def fields(self) -> dict[str, str]:
        """Return what is known, for a line of the log."""
        return {name: value for name, value in self._asdict().items() if value}


def stack(frame: FrameType | None) -> Stack:
    """Note where each frame of a running stack stands, the innermost first. It is quick: the stack moves on."""
    found = []
    while frame is not None:
        found.append((str(frame.f_globals.get("__name__", "")), place(frame)))
        frame = frame.f_back
    return tuple(found)


def raised_at(error: BaseException) -> Stack:
    """Note the frames that an exception has come through, the innermost first; none if it was never raised."""
    found, traceback = [], error.__traceback__
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        found.append((module, place(traceback.tb_frame, traceback.tb_lineno)))
        traceback = traceback.tb_next
    return tuple(reversed(found))


def culprit(where: Stack, plugins: Iterable[Candidate | PluginRecord]) -> Culprit:
    """Find the plugin whose code is innermost in a stack: it called whatever libraries are further inside.

    Args:
        where: from ``stack`` or ``raised_at``.
        plugins: those that are installed.
    """
    owners = _owners(plugins)
    innermost = where[0][1] if where else ""
    shared: Culprit | None = None
    for module, at in where:
        found = _found(module, owners)
        if not found:
            continue
        owner = found[0]
        named = Culprit(owner.name, owner.distribution, owner.version, at, "" if at == innermost else innermost)
        if len(found) == 1:
            return named
        shared = shared or named  # code that several plugins of a package share: which of them it is shows further out
    return shared or Culprit("", "", "", innermost)


def _owners(plugins: Iterable[Candidate | PluginRecord]) -> dict[str, list[Candidate | PluginRecord]]:
    """The plugins by their modules, and by the packages that these are in."""
    owners: dict[str, list[Candidate | PluginRecord]] = {}
    for plugin in plugins:
        top = plugin.module.partition(".")[0]
        if top and top != _HOST:
            for name in {top, plugin.module}:
                owners.setdefault(name, []).append(plugin)
    return owners


def _found(module: str, owners: dict[str, list[Candidate | PluginRecord]]) -> list[Candidate | PluginRecord]:
    while module:
        if module in owners:
            return owners[module]
        module = module.rpartition(".")[0]
    return []
