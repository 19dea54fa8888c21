"""The strategies that every host has: ``fallback``, ``weighted`` and ``sticky``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from math import log
from random import Random
from typing import Any

from jackfield import ConversationRequest, RoutingStrategy, Target

__all__ = ["Fallback", "Sticky", "Weighted"]

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HASHES = 1 << 64


class Fallback(RoutingStrategy):
    """Tries the targets in the manifest's order."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        _refuse_unknown(options, ())

    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Sequence[Target]:  # noqa: ARG002
        """Return the targets as they are."""
        return targets


class Weighted(RoutingStrategy):
    """Draws the first target by weight, the next by weight among the rest, and so on."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        _refuse_unknown(options, ())
        self._random = Random()  # noqa: S311  it shares out load and keeps no secret

    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Sequence[Target]:  # noqa: ARG002
        """Return the targets in an order of their own for each request."""
        random = self._random.random
        return _race(targets, lambda _: 1.0 - random())


class Sticky(RoutingStrategy):
    """Gives requests of one key the same target, by weighted rendezvous hashing; without a key it draws by weight.

    Each target has a number of its own for a key. So a target that goes takes only its own keys along, they are shared
    out by weight among the others, and hosts beside each other agree without a word.

    Args:
        options: ``header``, the name of a request header that is the key; without it the context id is.

    Raises:
        ValueError: an option is not known, or ``header`` is no header's name.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        _refuse_unknown(options, ("header",))
        header = options.get("header")
        if header is not None and not (isinstance(header, str) and _HEADER.fullmatch(header)):
            raise ValueError("header must be the name of a request header, such as x-user")
        self._header: str | None = header
        self._without_key = Weighted({})

    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Sequence[Target]:
        """Return the targets in the order of the request's key."""
        key = request.context_id if self._header is None else request.headers.get(self._header)
        if not key:
            return self._without_key.order(request, targets)
        start = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()

        def number(target: Target) -> float:
            identity = f"{target.name}\0{target.model}".encode("utf-8", "surrogatepass")
            digest = blake2b(start + identity, digest_size=8).digest()
            return (int.from_bytes(digest, "big") + 0.5) / _HASHES

        return _race(targets, number)


def _race(targets: Sequence[Target], number: Callable[[Target], float]) -> Sequence[Target]:
    """Sort targets by a number each, uniform in (0, 1], so that each is first as often as its weight says.

    Each draws an exponentially distributed time with its weight as the rate; the shortest wins (Efraimidis and
    Spirakis, "Weighted random sampling with a reservoir", 2006).
    """
    return sorted(targets, key=lambda target: -log(number(target)) / target.weight)


def _refuse_unknown(options: Mapping[str, Any], known: Collection[str]) -> None:
    if unknown := [name for name in options if name not in known]:
        fix = f"known are {', '.join(known)}" if known else "this strategy has no options"
        raise ValueError(f"{', '.join(unknown)} is not known; {fix}")
