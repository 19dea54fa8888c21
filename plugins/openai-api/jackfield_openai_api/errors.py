"""Errors as OpenAI's API tells them: ``{"error": {"message", "type", "param", "code"}}`` and a status of their own.

A status that the provider gave is passed on, as clients act on it: they wait after a 429 and don't repeat a 400. The
one that isn't is 401: it would tell the caller that its own key is wrong, where the provider has refused the host's.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from jackfield import (
    BreakerOpen,
    InvalidParameters,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    ScrubberMissing,
)
from jackfield.frontends import ComponentNotFound, Refusal, Unauthorized, encode_json, error_code

__all__ = ["Refused", "error_body", "refusal"]

_NO_REPEAT: Final = ("x-should-retry", "false")
"""OpenAI's own clients repeat what failed with 409, 429 or 500 and above, unless the reply says this."""

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_CODES: Final[tuple[tuple[type[RequestError], int, str], ...]] = (
    (ComponentNotFound, 404, "model_not_found"),
    (Unauthorized, 401, "invalid_api_key"),
    (ProviderUnreachable, 502, "provider_unreachable"),
    (ProviderTimeout, 504, "provider_timeout"),
    (BreakerOpen, 503, "breaker_open"),
    (Overloaded, 503, "overloaded"),
    (ScrubberMissing, 500, "scrubber_missing"),
)


class Refused(InvalidParameters):
    """The request is not one that can be answered.

    Args:
        detail: what is wrong with it and what to do about it.
        param: the member that is to blame, such as ``messages[0].content``.
        code: a word for programs.
        status: the HTTP status.
    """

    def __init__(self, detail: str, *, param: str = "", code: str = "", status: int = 400) -> None:
        super().__init__(detail)
        self.param = param
        self.code = code
        self.status = status


def refusal(error: RequestError) -> Refusal:
    """Return how an error is told before anything else of the reply has left."""
    status, _ = _judged(error)
    headers: list[tuple[str, str]] = []
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        headers.append(("retry-after", str(ceil(retry_after))))
    if status >= 500 and (isinstance(error, ScrubberMissing) or _own_key_refused(error)):
        headers.append(_NO_REPEAT)
    return Refusal(status, error_body(error), tuple(headers))


def error_body(error: RequestError) -> bytes:
    """Return the JSON object that tells an error; in a stream it is the last event."""
    status, code = _judged(error)
    kind = _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    told: dict[str, Any] = {"message": _message(error), "type": kind, "param": _param(error), "code": code or None}
    return encode_json({"error": told})


def _judged(error: RequestError) -> tuple[int, str]:
    """Return status and code."""
    if isinstance(error, Refused):
        return error.status, error.code
    if isinstance(error, ProviderError):
        return _of_provider(error)
    for kind, status, code in _CODES:
        if isinstance(error, kind):
            return status, code
    return error_code(error).http_status, ""


def _of_provider(error: ProviderError) -> tuple[int, str]:
    status = error.status
    if _own_key_refused(error):
        return 502, "provider_refused_key"
    if status is None or status < 400 or status > 599:
        return 502, "provider_error"
    return status, "rate_limit_exceeded" if status == 429 else "provider_error"


def _own_key_refused(error: RequestError) -> bool:
    return isinstance(error, ProviderError) and error.status in {401, 407}


def _message(error: RequestError) -> str:
    if isinstance(error, ComponentNotFound):
        cause = f": {error.detail}" if error.detail else "; GET /v1/models lists those that do"
        return f"no component serves as model {error.component!r}{cause}"
    if isinstance(error, Unauthorized):
        return "the API key is not this host's API token; send that as Authorization: Bearer TOKEN"
    if isinstance(error, InvalidParameters):
        return error.detail
    return error.message


def _param(error: RequestError) -> str | None:
    if isinstance(error, ComponentNotFound):
        return "model"
    return (error.param or None) if isinstance(error, Refused) else None
