"""What Anthropic's errors mean, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from jackfield import ProviderError
from jackfield_anthropic.wire import ReplyError

__all__ = ["advice", "reported"]

_STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)
"""The status of each type of error, which a stream that has begun can't have any more."""

_LONGEST: Final = 2000


def reported(error: ReplyError) -> ProviderError:
    """Make the error for one that came within a stream, or with a status of success."""
    said = " ".join(error.message.split())[:_LONGEST] or error.type[:_LONGEST] or "without saying which"
    return ProviderError(f"the provider reports an error: {said}", status=_STATUSES.get(error.type))


def advice(status: int | None) -> str:
    """Return what to do about a status that has its own meaning here; empty for any other."""
    if status == 413:
        return "send less: the API takes requests of 32 MB at most"
    return "Anthropic is overloaded, ask again later" if status == 529 else ""
