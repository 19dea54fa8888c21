"""The names of wire fields: each has several spellings, and giving two of them is an error (contract sheet, 1.2)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from jackfield.errors import MalformedRequest
from jackfield.http.wire import wrong_type

__all__ = ["CACHE_TTL", "SCRUB", "Fields", "folded"]

SCRUB = ("scrubPII", "scrubPii", "scrub_pii")
"""Alpha1 and alpha2 spell the flag differently. Either takes both spellings, as a flag that is overlooked leaks."""

CACHE_TTL = ("cacheTTL", "cacheTtl", "cache_ttl")


def folded(name: str) -> str:
    """Return a name without its case, underscores and hyphens, so that ``max_tokens`` and ``maxTokens`` are equal."""
    return name.replace("_", "").replace("-", "").lower()


def _proto_name(name: str) -> str:
    return re.sub(r"[A-Z]", lambda capital: "_" + capital[0].lower(), name)


class Fields:
    """The fields of one wire object, and every spelling of each.

    Args:
        names: each field's JSON name, from which its proto name follows (``toolId`` is ``tool_id`` too), or a tuple of
            all its spellings. The JSON name, or the tuple's first, is what the code calls the field.
        any_case: the fields among them that are also known in any other case, with or without underscores.
    """

    __slots__ = ("_folded", "_initials", "_names")

    def __init__(self, *names: str | tuple[str, ...], any_case: Collection[str] = ()) -> None:
        self._names: dict[str, str] = {}
        for name in names:
            spellings = (name, _proto_name(name)) if isinstance(name, str) else name
            self._names |= dict.fromkeys(spellings, spellings[0])
        self._folded = {folded(name): name for name in any_case}
        # Folding costs more than all else about a key, and nearly no key begins like one of these.
        self._initials = {initial for name in self._folded for initial in (name[0], name[0].upper(), "_", "-")}

    @property
    def spellings(self) -> dict[str, str]:
        """Every spelling, with the field's own name."""
        return dict(self._names)

    def read(self, members: Any, path: str, others: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an object's known members under their fields' own names; ``null`` stays, unknown members are left out.

        Args:
            members: what should be an object.
            path: where it stands in the body, for the error's text.
            others: gets the unknown members, if given.

        Raises:
            MalformedRequest: it isn't an object, or a field is given in two spellings.
        """
        if type(members) is not dict:
            raise wrong_type(path or "the body", "an object", members)
        found: dict[str, Any] = {}
        names = self._names
        for key, value in members.items():
            name = names.get(key)
            if name is None:
                if key[:1] in self._initials:
                    name = self._folded.get(folded(key))
                if name is None:
                    if others is not None:
                        others[key] = value
                    continue
            if name in found:
                raise MalformedRequest(f"{path or 'the body'}: the field {name} is given in two spellings; send one")
            found[name] = value
        return found
