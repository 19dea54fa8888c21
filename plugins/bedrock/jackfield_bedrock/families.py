"""What is known of models by their ids: the parameters that Converse itself has no place for, and prompt caching."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["UNKNOWN", "Family", "family_of"]


@dataclass(frozen=True)
class Family:
    """What models of one maker understand.

    Attributes:
        fields: where generation settings stand within ``additionalModelRequestFields``, as paths of names.
        cache_points: what may end with a cache point: ``system``, ``tools``, ``messages``.
        hour: whether a cache point may last an hour rather than five minutes.
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cache_points: frozenset[str] = frozenset()
    hour: bool = False


UNKNOWN: Final = Family()

_ALL: Final = frozenset({"system", "tools", "messages"})
_CLAUDE_FIELDS: Final = {"top_k": ("top_k",)}
_COHERE_FIELDS: Final = {
    "top_k": ("k",),
    "seed": ("seed",),
    "presence_penalty": ("presence_penalty",),
    "frequency_penalty": ("frequency_penalty",),
}

_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    (r"anthropic\.claude-(3-(haiku|sonnet|opus)|3-5-sonnet|v2|instant)", Family(_CLAUDE_FIELDS)),
    (r"anthropic\.claude-(3-|(sonnet|opus)-4-(2|1))", Family(_CLAUDE_FIELDS, _ALL)),
    (r"anthropic\.claude", Family(_CLAUDE_FIELDS, _ALL, hour=True)),
    (r"amazon\.nova", Family({"top_k": ("inferenceConfig", "topK")}, frozenset({"system", "messages"}))),
    (r"cohere\.command-r", Family(_COHERE_FIELDS)),
    (r"mistral\.mi(s|x)tral-(7b|8x7b)", Family({"top_k": ("top_k",)})),
)
"""The first that a model id matches counts; sources are the makers' pages of inference parameters, and the user
guide's page on prompt caching: Nova has no cache points among tools, and an hour came with Claude 4.5."""


def family_of(model: str) -> Family:
    """Return what is known of a model; nothing for an ARN that doesn't hold the model's id.

    Args:
        model: a model id such as ``eu.anthropic.claude-haiku-4-5-20251001-v1:0``, or an ARN.
    """
    return next((family for pattern, family in _FAMILIES if re.search(rf"(^|[./]){pattern}", model)), UNKNOWN)
