"""What a part of the benchmark is given and gives back; each part is a module with ``report(options)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Options", "Report"]


@dataclass(frozen=True)
class Options:
    """How much is measured, and what with.

    Attributes:
        requests: for each row and round.
        connections: that send requests side by side.
        rounds: of which the one with the least CPU counts.
        servers: the host's HTTP servers.
        peers: names of the other gateways.
        peers_folder: where those have their environments; they are left out without one.
    """

    requests: int
    connections: int
    rounds: int
    servers: tuple[str, ...]
    peers: tuple[str, ...]
    peers_folder: Path | None


@dataclass(frozen=True)
class Report:
    """What a part found.

    Attributes:
        text: its table.
        exceeded: the figures that are over their limits, each in words.
        draw: draws its chart into a file.
    """

    text: str
    exceeded: list[str] = field(default_factory=list)
    draw: Callable[[Path], None] | None = None
