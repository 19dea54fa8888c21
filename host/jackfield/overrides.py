"""Generation settings that a request brings, and what its component's manifest lets it override.

A caller may name a setting at the body's top level, in ``parameters`` or in ``metadata``, in any case and with or
without underscores; the place named first here wins, and the manifest's defaults come last. daprd drops ``parameters``
and passes ``metadata`` on as it is (contract sheet, sections 1.4 and 11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf, isfinite
from typing import Any

from msgspec import Struct, structs

from jackfield.errors import MalformedRequest
from jackfield.http.spelling import folded
from jackfield.http.strict_json import parse
from jackfield.http.wire import at, integer, kind, number
from jackfield.messages import GenerationSettings, Record

__all__ = ["OverridePolicy", "Overrides", "override_name", "read_overrides"]

_ALIASES = {
    "maxcompletiontokens": "max_tokens",
    "maxoutputtokens": "max_tokens",
    "stopsequences": "stop",
    "apikey": "key",
}
_NEVER = frozenset({"key", "endpoint"})
_WELL_KNOWN = "google.protobuf."
_UNSET = GenerationSettings()


class OverridePolicy(Struct, frozen=True):
    """Which settings a request may override, and what applies where it doesn't.

    Attributes:
        allowed: names of ``GenerationSettings`` fields, and ``model``.
        explicit: the manifest sets ``requestOverrides`` itself, so that an override it doesn't allow is an error.
        defaults: the manifest's own generation settings.
    """

    allowed: frozenset[str]
    explicit: bool = False
    defaults: GenerationSettings = _UNSET

    @classmethod
    def from_manifest(cls, names: Iterable[str] | None, defaults: GenerationSettings = _UNSET) -> OverridePolicy:
        """Make the policy of one component.

        Args:
            names: the manifest's ``requestOverrides``, in any spelling; None if it has none, which allows all
                generation settings but not ``model``.
            defaults: the manifest's generation settings.

        Raises:
            ValueError: a name is no setting, or one that no request may override; the text names it.
        """
        if names is None:
            return cls(frozenset(_PARSERS) - {"model"}, defaults=defaults)
        allowed = set()
        for name in names:
            canonical = override_name(name)
            if canonical in _NEVER:
                raise ValueError(f"{name!r} can't be allowed: a request never chooses where a component's secrets go")
            if canonical is None:
                raise ValueError(f"{name!r} is no setting of a request; known are {', '.join(sorted(_PARSERS))}")
            allowed.add(canonical)
        return cls(frozenset(allowed), explicit=True, defaults=defaults)


class Overrides(Struct, frozen=True):
    """What a request's overrides come to.

    Attributes:
        settings: the generation settings, merged over the manifest's.
        model: the model the request names; None for the component's own.
        metadata: what is left of ``metadata``, for the provider.
    """

    settings: GenerationSettings
    model: str | None
    metadata: dict[str, str]


def override_name(key: str) -> str | None:
    """Return the setting that a key names (``max_tokens``, ``model``, ``key``, ...), None if it is none."""
    return _NAMES.get(key) or _NAMES.get(folded(key))


def read_overrides(
    others: Mapping[str, Any],
    parameters: Mapping[str, Any] | None,
    metadata: dict[str, str],
    *,
    policy: OverridePolicy,
    record: Record,
    doubts: list[str],
) -> Overrides:
    """Collect a request's settings from all three places.

    Args:
        others: the members of the body that are no fields.
        parameters: plain JSON, or protobuf's ``Any`` around a well-known wrapper.
        metadata: texts; a number stands in them as ``"100"``, several stop texts as a JSON array.
        policy: what the manifest allows.
        record: gets the names of what isn't allowed and therefore has no effect, as ``ignored``.
        doubts: gets a text for each bad value, and for each override that an explicit policy forbids.

    Raises:
        MalformedRequest: a top-level setting has the wrong JSON type, or is given in two spellings.
    """
    if not (others or parameters or metadata):
        return Overrides(policy.defaults, None, metadata)
    found: dict[str, Any] = {}
    denied: set[str] = set()
    if metadata:
        found, metadata = _read_place("metadata", metadata, policy, denied, doubts)
    if parameters:
        found |= _read_place("parameters", parameters, policy, denied, doubts)[0]
    if others:
        if len(others) > 1:
            _check_spellings(others)
        found |= _read_place("", others, policy, denied, doubts)[0]
    if denied:
        if policy.explicit:
            doubts.append(f"{', '.join(sorted(denied))}: not among the requestOverrides of the component's manifest")
        else:
            record.ignored = tuple(sorted(denied))
    model = found.pop("model", None)
    return Overrides(structs.replace(policy.defaults, **found) if found else policy.defaults, model, metadata)


def _check_spellings(members: Mapping[str, Any]) -> None:
    keys: dict[str, str] = {}
    for key in members:
        name = override_name(key)
        if name is not None and keys.setdefault(name, key) != key:
            raise MalformedRequest(f"{at('', keys[name])} and {at('', key)} are the same field; send one")


def _read_place(
    place: str, members: Mapping[str, Any], policy: OverridePolicy, denied: set[str], doubts: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that one place holds, and what else stands there."""
    found: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, sent in members.items():
        name = _NAMES.get(key) or _NAMES.get(folded(key))
        if name is None:
            rest[key] = sent
        elif sent is None:
            pass
        elif name not in policy.allowed:
            denied.add(name)
        else:
            value = _unwrapped(sent) if place == "parameters" else sent
            try:
                setting = _PARSERS[name](value)
            except TypeError as error:
                got = "a string that is none" if type(value) is str else kind(value)
                wrong = f"{at(place, key)}: expected {error}, got {got}"
                if not place:
                    raise MalformedRequest(wrong) from None
                doubts.append(wrong)
            except ValueError as error:
                doubts.append(f"{at(place, key)}: {error}")
            else:
                if found.setdefault(name, setting) != setting:
                    doubts.append(f"{at(place, key)}: {name} is given twice in {place}, with different values")
    return found, rest


def _unwrapped(value: Any) -> Any:
    """Take the value out of protobuf's ``Any`` where it holds a well-known type, such as ``Int64Value``."""
    if type(value) is dict and "value" in value:
        name = value.get("@type")
        if type(name) is str and name.rpartition("/")[2].startswith(_WELL_KNOWN):
            return value["value"]
    return value


def _real(lowest: float, highest: float = inf) -> Callable[[Any], float]:
    wish = f"at least {lowest:g}" if highest == inf else f"between {lowest:g} and {highest:g}"

    def read(value: Any) -> float:
        result = number(value)
        if not isfinite(result) or not lowest <= result <= highest:
            raise ValueError(f"must be a finite number, {wish}")
        return result

    return read


def _whole(lowest: int | None = None) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        result = integer(value)
        if lowest is not None and result < lowest:
            raise ValueError(f"must be at least {lowest}")
        return result

    return read


def _stop(value: Any) -> tuple[str, ...]:
    if type(value) is str:
        texts = _stop_list(value)
    elif type(value) is list and all(type(text) is str for text in value):
        texts = value
    else:
        raise TypeError("a string or an array of strings")
    if not all(texts):
        raise ValueError("a stop text can't be empty")
    return tuple(texts)


def _stop_list(text: str) -> list[str]:
    """Read several stop texts from a JSON array, as ``metadata`` has no other way to hold them; else it is one text."""
    if text.startswith("["):
        try:
            texts = parse(text.encode())
        except MalformedRequest:
            return [text]
        if all(type(item) is str for item in texts):
            return list(texts)
    return [text]


def _model(value: Any) -> str | None:
    if type(value) is not str:
        raise TypeError("a string")
    return value or None


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "temperature": _real(0),
    "max_tokens": _whole(1),
    "top_p": _real(0, 1),
    "top_k": _whole(1),
    "stop": _stop,
    "seed": _whole(),
    "presence_penalty": _real(-2, 2),
    "frequency_penalty": _real(-2, 2),
    "n": _whole(1),
    "model": _model,
}
_NAMES = {folded(name): name for name in (*_PARSERS, *_NEVER)} | {name: name for name in _PARSERS} | _ALIASES
