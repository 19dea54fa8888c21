"""What a plugin implements to choose among a router's targets: a ``RoutingStrategy``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from jackfield.messages import ConversationRequest

__all__ = ["RoutingStrategy", "Target"]


class Target(Struct, frozen=True):
    """One of a router's targets, as its manifest has it.

    Attributes:
        name: the component.
        weight: its share among the others, above 0.
        model: the model to ask it for; empty for its own.
    """

    name: str
    weight: float = 1.0
    model: str = ""


class RoutingStrategy:
    """Decides in which order a router's targets are tried. One instance per router, used by many requests at once.

    Args:
        options: the router's ``strategyOptions``.

    Raises:
        ValueError: an option is wrong; the text names it and becomes a problem of the manifest.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Iterable[Target]:
        """Return the targets to try, the first first; what is left out isn't tried. Called per request: be quick."""
        raise NotImplementedError
