"""What one server or model understands of the chat completions API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from jackfield import Role

__all__ = ["COMPATIBLE", "OPENAI", "Dialect", "older_azure", "openai_dialect"]

_ENFORCED: Final = frozenset({"none", "required", "named"})

_SAMPLING: Final = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
_AS_SYSTEM: Final[Mapping[Role, str]] = MappingProxyType({"developer": "system"})
_AS_WRITTEN: Final[Mapping[Role, str]] = MappingProxyType({})

_REASONING = re.compile(r"(o\d+|gpt-5(?!-chat))(-.*)?|gpt-5\.\d+-chat.*|gpt-(5\.([5-9]|\d\d)|[6-9](\.\d+)?)(-.*)?")
"""Models that take no sampling settings while they reason, which they do unless told otherwise."""

_NO_TOOLS_WHILE_REASONING = re.compile(r"gpt-(5\.([4-9]|\d\d)|[6-9](\.\d+)?)(-.*)?")

_DEVELOPER_ROLE = re.compile(r"(o\d+|gpt-[5-9])([-.].*)?")
_NO_SYSTEM_ROLE = re.compile(r"(o1-mini|o1-preview)(-.*)?")
_LONG_RETENTION_ONLY = re.compile(r"gpt-(5\.([5-9]|\d\d)|[6-9])([-.].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a request must be written for one server or model.

    Attributes:
        roles: what a role is called, where that differs from our own name for it.
        system_role: False where there is no such role: system and developer text then opens the first user message.
        max_tokens_field: the name of the limit on the reply's length.
        refused: the generation settings that are an error there; they are left out and named in the request's record.
        stream_usage: whether ``stream_options`` is understood.
        retentions: the values of ``prompt_cache_retention`` that are understood.
        metadata: whether ``metadata`` is understood; where it isn't, the caller's is left out and named in the record.
        seed_field: the name of the seed.
        most_choices: how many choices one call may ask for; None for no limit. More is an error.
        structured: how a JSON Schema is kept to: ``schema`` by ``response_format``, ``tool`` by the arguments of a tool
            that the model must call, ``none`` not at all, which makes asking for one an error.
        tool_choices: which choices other than ``auto`` the server enforces. Without ``none`` the tools stay unsent when
            none may be called; without ``required`` or ``named`` such a choice is an error.
        required: the server's word for the choice ``required``.
        tool_names: whether a tool's result names its function.
        strict_tools: whether a tool may be ``strict``; where not, the wish is left out and named in the record.
        reasons_with_tools: False for models that call tools in this API only while they don't reason.
        returned_reasoning: the member in which an assistant message's thinking goes back; empty where it must not.
    """

    roles: Mapping[Role, str] = field(default_factory=lambda: _AS_SYSTEM)
    system_role: bool = True
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    refused: frozenset[str] = frozenset()
    stream_usage: bool = True
    retentions: tuple[str, ...] = ("in_memory", "24h")
    metadata: bool = True
    seed_field: Literal["seed", "random_seed"] = "seed"
    most_choices: int | None = None
    structured: Literal["schema", "tool", "none"] = "schema"
    tool_choices: frozenset[str] = _ENFORCED
    required: Literal["required", "any"] = "required"
    tool_names: bool = False
    strict_tools: bool = True
    reasons_with_tools: bool = True
    returned_reasoning: Literal["", "reasoning", "reasoning_content"] = ""


COMPATIBLE: Final = Dialect()
"""The common ground of compatible servers: ``max_tokens``, ``top_k``, and no ``developer`` role."""

OPENAI: Final = Dialect(max_tokens_field="max_completion_tokens", refused=frozenset({"top_k"}))
"""OpenAI's own API, for the models that take sampling settings."""


def openai_dialect(model: str, effort: str = "") -> Dialect:
    """Return what OpenAI's own API, or Azure's, understands for one model.

    The rules come from OpenAI's API reference, its errors, and Azure's page on reasoning models: the o series, gpt-5
    and everything from gpt-5.5 on refuse sampling settings while they reason, from gpt-5.4 on tools too; everything
    since o1 knows the role ``developer``, o1-mini and o1-preview know neither that role nor ``system``, and from
    gpt-5.5 on a prompt cache is kept for 24 hours or not configured at all.

    Args:
        model: the model's name.
        effort: the manifest's reasoning effort; ``none`` lets a model take what it refuses while it reasons.
    """
    dialect = OPENAI
    if _REASONING.fullmatch(model) and effort != "none":
        dialect = replace(dialect, refused=dialect.refused | _SAMPLING)
    if _NO_TOOLS_WHILE_REASONING.fullmatch(model):
        dialect = replace(dialect, reasons_with_tools=False)
    if _NO_SYSTEM_ROLE.fullmatch(model):
        return replace(dialect, system_role=False)
    if _DEVELOPER_ROLE.fullmatch(model):
        dialect = replace(dialect, roles=_AS_WRITTEN)
    if _LONG_RETENTION_ONLY.fullmatch(model):
        dialect = replace(dialect, retentions=("24h",))
    return dialect


def older_azure(dialect: Dialect, api_version: str) -> Dialect:
    """Return a dialect without what Azure's API learned with version 2024-09-01-preview."""
    if api_version[:10] >= "2024-09-01":
        return dialect
    return replace(dialect, max_tokens_field="max_tokens", stream_usage=False)
