"""The members of a request beside its messages and tools: settings, ours, and those that nobody here models."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from jackfield import GenerationSettings, Record
from jackfield.frontends import OverridePolicy, override_name, read_overrides
from jackfield_openai_api.content import is_scrub_flag
from jackfield_openai_api.errors import Refused
from jackfield_openai_api.values import boolean, mapping, text, wrong_type

__all__ = ["Settings", "read_extra", "read_metadata", "read_retention", "read_settings", "take_own"]

_SETTINGS: Final = (
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "n",
)
_LIMITS: Final = ("max_completion_tokens", "max_tokens")
_READ: Final = frozenset(
    {
        *_SETTINGS,
        *_LIMITS,
        "messages",
        "metadata",
        "model",
        "prompt_cache_retention",
        "response_format",
        "stop",
        "stream",
        "stream_options",
        "tool_choice",
        "tools",
    }
)
_DEFAULTS: Final[dict[str, Any]] = {
    "logprobs": False,
    "modalities": ["text"],
    "parallel_tool_calls": True,
    "service_tier": "auto",
    "store": False,
    "top_logprobs": 0,
}
"""What a member means that isn't there: a client that writes it out asks for nothing more."""
_REFUSED: Final = {
    "audio": "replies are text only",
    "function_call": "send tool_choice",
    "functions": "send tools",
    "logprobs": "replies have no place for log probabilities; leave it out",
    "modalities": "replies are text only",
    "top_logprobs": "replies have no place for log probabilities; leave it out",
}
_CHOOSES_MODEL: Final = frozenset({"fallbacks", "models", "preset", "provider", "route"})
"""Members by which gateways let a request choose what answers."""
_RETENTIONS: Final = {"in_memory": 3600.0, "in-memory": 3600.0, "24h": 86400.0}


class Settings(Struct, frozen=True):
    """The generation settings, merged over the manifest's, and the model the request names; None for its own."""

    settings: GenerationSettings
    model: str | None


def take_own(found: dict[str, Any]) -> tuple[bool, str | None]:
    """Take our own members out of a body: ``scrub_pii`` and ``cache_ttl``, or what Dapr's API calls them.

    Returns:
        Whether to scrub, both ways, and the duration's text; None if there is none.

    Raises:
        Refused: one has the wrong type, or is given in two spellings.
    """
    scrub = False
    ttl: str | None = None
    seen: dict[bool, str] = {}
    for name in list(found):
        flag = is_scrub_flag(name)
        if not flag and name not in {"cache_ttl", "cacheTTL", "cacheTtl"}:
            continue
        if flag in seen:
            raise Refused(f"{seen[flag]} and {name} are the same member; send one", param=name)
        seen[flag] = name
        if flag:
            scrub = boolean(found, name)
        else:
            ttl = text(found, name)
        del found[name]
    return scrub, ttl


def read_settings(found: dict[str, Any], model: str, *, policy: OverridePolicy, record: Record) -> Settings:
    """Read the generation settings.

    Args:
        found: the body's members.
        model: the model behind the component's name; empty if there is none.
        policy: which settings the component lets a request override.
        record: gets the names of those it doesn't, as ``ignored``.

    Raises:
        Refused: a value can't be used, the two limits differ, or the component lets no request choose a model.
        MalformedRequest: a setting has the wrong JSON type.
    """
    if model and "model" not in policy.allowed:
        raise Refused(
            "model: the manifest of this component lets no request choose the provider's model; ask for the component"
            " alone, or list model under its requestOverrides",
            param="model",
            code="model_not_found",
            status=404,
        )
    sent: dict[str, Any] = {name: found[name] for name in _SETTINGS if name in found}
    limits = {found[name] for name in _LIMITS if name in found and type(found[name]) in {int, float, str}}
    if len(limits) > 1:
        raise Refused(
            "max_tokens and max_completion_tokens have different values; send one, or the same", param="max_tokens"
        )
    if limit := [found[name] for name in _LIMITS if name in found]:
        sent["max_tokens"] = limit[0]
    if "stop" in found:
        sent["stop"] = [found["stop"]] if type(found["stop"]) is str else found["stop"]
    if model:
        sent["model"] = model
    doubts: list[str] = []
    overrides = read_overrides(sent, None, {}, policy=policy, record=record, doubts=doubts)
    if doubts:
        name = doubts[0].partition(":")[0]
        raise Refused(doubts[0], param=name if name in sent else "")
    return Settings(overrides.settings, overrides.model)


def read_metadata(found: dict[str, Any]) -> dict[str, str]:
    """Read ``metadata``: texts by name, for the provider."""
    metadata = mapping(found, "metadata") or {}
    for name, value in metadata.items():
        if type(value) is not str:
            raise wrong_type(f"metadata.{name[:40]}", "a string", value)
    return metadata


def read_retention(found: dict[str, Any]) -> float | None:
    """Read ``prompt_cache_retention`` in seconds."""
    sent = text(found, "prompt_cache_retention")
    if not sent:
        return None
    if sent not in _RETENTIONS:
        raise Refused("prompt_cache_retention: must be in_memory or 24h", param="prompt_cache_retention")
    return _RETENTIONS[sent]


def read_extra(found: dict[str, Any], *, policy: OverridePolicy) -> dict[str, Any]:
    """Collect the members that are no field of ``ConversationRequest``; those that say nothing are left out.

    Raises:
        Refused: replies here can't hold what one asks for, or the component's manifest forbids it.
    """
    extra = {name: value for name, value in found.items() if name not in _READ}
    for name in list(extra):
        if name in _DEFAULTS and extra[name] == _DEFAULTS[name]:
            del extra[name]
        elif name in _REFUSED:
            raise Refused(f"{name}: {_REFUSED[name]}", param=name)
        elif name in _CHOOSES_MODEL and "model" not in policy.allowed:
            raise Refused(
                f"{name}: the manifest of this component lets no request choose what answers; leave it out, or list"
                " model under its requestOverrides",
                param=name,
            )
        elif (meant := override_name(name)) is not None:
            raise Refused(f"{name[:40]}: this API spells it {meant}, if a request may set it at all", param=name[:40])
    return extra
