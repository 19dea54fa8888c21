"""What to do about a provider's refusal: the setting of the manifest, or the member of the request, to look at.

Statuses tell little by themselves: 400 is also a wrong key with Google, and an unknown model with Mistral, DeepSeek,
Hugging Face and OpenRouter. The texts are those of the providers' servers.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CHECK_FORMAT", "CHECK_KEY", "CHECK_TOOLS", "SEND_LESS", "TAKE_ANOTHER", "advice", "advice_by_words"]

CHECK_KEY: Final = "check key"
"""What to do about a key that the provider doesn't take."""

SEND_LESS: Final = "send fewer or shorter messages, lower maxTokens, or take a model with a larger context"
"""What to do about a request that is too long for the model."""

TAKE_ANOTHER: Final = "leave that out of the request, or take a model that has it"
"""What to do about something that the model can't do."""

CHECK_FORMAT: Final = "check the request's responseFormat, whose JSON Schema the provider doesn't take as it is"
"""What to do about a response format that the provider refuses."""

CHECK_TOOLS: Final = "check the request's tools, whose names or parameters the provider doesn't take as they are"
"""What to do about tools that the provider refuses."""

_KEY = re.compile(r"\bapi[ _-]?key\b", re.IGNORECASE)
_LENGTH = re.compile(
    r"context[ _](length|window|size)|too long|too many (input )?tokens|token count|maximum number of tokens"
    r"|max_new_tokens|reduce the length",
    re.IGNORECASE,
)
_MISSING = re.compile(r"(does not|doesn't) support", re.IGNORECASE)
_FORMAT = re.compile(r"response[ _]?(format|schema)|json_schema|output_(config|format)", re.IGNORECASE)
_TOOLS = re.compile(
    r"(tool|function).*?(schema|parameters|properties|declaration|\.name\b)|(schema|parameters)\b.*?(tool|function)",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"\bmodels?\b.*?(\bnot\b|n't|unknown|invalid|no longer|retired|deprecated)"
    r"|(unknown|invalid|no such|not a valid)\b.*?\bmodel",
    re.IGNORECASE,
)


def advice(status: int | None, said: str, model: str) -> str:
    """Return what to do about a refusal; empty if neither its status nor its text tells.

    Args:
        status: the provider's HTTP status, None if there was none.
        said: the provider's words.
        model: the model that was asked.
    """
    if status == 401:
        return CHECK_KEY
    if status == 403:
        return "check that key may use this model"
    if status == 404:
        return "" if "check endpoint" in said else f"check model ({model}) and endpoint"
    if status == 413:
        return SEND_LESS
    if status not in {400, 422}:
        return ""
    return advice_by_words(said) or (f"check model ({model})" if _MODEL.search(said) else "")


def advice_by_words(said: str) -> str:
    """Return what to do about a request that a provider calls wrong; empty if its words don't tell."""
    for pattern, told in (
        (_KEY, CHECK_KEY),
        (_LENGTH, SEND_LESS),
        (_MISSING, TAKE_ANOTHER),
        (_FORMAT, CHECK_FORMAT),
        (_TOOLS, CHECK_TOOLS),
    ):
        if pattern.search(said):
            return told
    return ""
