"""What an error says about its provider: whether to ask again, and whether to hold it against it."""

from __future__ import annotations

from enum import Enum

from jackfield.errors import BreakerOpen, InvokeError, Overloaded, ProviderError, RequestError, ScrubberMissing

__all__ = ["Verdict", "is_worth_a_repeat", "judge"]

_WRONG_REQUEST = frozenset({400, 401, 403, 404, 422})
"""The statuses with which a provider says that the request is wrong: the same one would get the same answer."""


class Verdict(Enum):
    """How a call counts in a breaker."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEITHER = "neither"
    """It says nothing about the provider."""


def judge(error: BaseException) -> Verdict:
    """Judge a call that ended with an error.

    A client's cancellation, a request that is wrong and the host's own limits say nothing about the provider.
    """
    if not isinstance(error, Exception) or is_wrong_request(error) or isinstance(error, BreakerOpen | Overloaded):
        return Verdict.NEITHER
    return Verdict.FAILURE


def is_worth_a_repeat(error: RequestError, statuses: frozenset[int] | None) -> bool:
    """Say whether the same call may succeed when it is made again.

    Args:
        error: what it ended with.
        statuses: the provider's statuses that the policy repeats; None for all but those of wrong requests. An error
            without a status, such as a time limit or a connection that broke, is repeated either way.
    """
    if not isinstance(error, InvokeError) or isinstance(error, BreakerOpen | ScrubberMissing):
        return False
    if statuses is not None and isinstance(error, ProviderError) and error.status is not None:
        return error.status in statuses
    return not is_wrong_request(error)


def is_wrong_request(error: BaseException) -> bool:
    """Say whether the request is to blame, and not the provider."""
    if isinstance(error, ProviderError):
        return error.status in _WRONG_REQUEST
    return isinstance(error, ScrubberMissing) or (
        isinstance(error, RequestError) and not isinstance(error, InvokeError)
    )
