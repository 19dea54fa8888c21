"""What is known of each plugin, whether it works or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["PluginRecord", "PluginState"]

PluginState: TypeAlias = Literal["loaded", "failed", "incompatible", "blocked", "skipped"]


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin as it stands, for listings and the metadata endpoint.

    Attributes:
        name: the entry point's name, such as ``echo``; ``builtin.`` and the module's name for the host's own.
        distribution: the distribution that brings it, such as ``jackfield-echo``.
        version: the distribution's version.
        requires: the versions of jackfield that the distribution asks for, as ``>=0.1,<0.2``; empty if any.
        state: ``loaded``; ``failed``: its own fault; ``incompatible``: made for another host; ``blocked``: by the
            operator; ``skipped``: something it needs is not installed.
        reason: why it isn't loaded, or which part of a loaded plugin failed; one line, without secrets.
        hooks: the hooks it implements, sorted.
        types: the component types it registered, sorted; known once the types have been asked for.
        path: the folder or the file of its code; empty if it isn't there.
        module: what its entry point names; empty where that can't be read.
    """

    name: str
    distribution: str
    version: str
    requires: str
    state: PluginState
    reason: str = ""
    hooks: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    path: str = ""
    module: str = ""

    @property
    def at_fault(self) -> bool:
        """Whether the plugin, or a part of it, does not work though nobody asked for that."""
        return self.state in {"failed", "incompatible"} or (self.state == "loaded" and bool(self.reason))
