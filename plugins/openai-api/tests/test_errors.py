"""Which status, words and headers an error gets."""

from __future__ import annotations

import json

import pytest

from jackfield import (
    BreakerOpen,
    InvalidParameters,
    InvokeError,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    ScrubberMissing,
)
from jackfield.frontends import BodyUnreadable, ComponentNotFound, HostFault, MalformedRequest, Unauthorized
from jackfield_openai_api.errors import refusal


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "headers"),
    [
        (ComponentNotFound(), 404, "invalid_request_error", "model_not_found", {}),
        (MalformedRequest("m"), 400, "invalid_request_error", None, {}),
        (InvalidParameters("m"), 400, "invalid_request_error", None, {}),
        (BodyUnreadable("m"), 400, "invalid_request_error", None, {}),
        (Unauthorized(), 401, "authentication_error", "invalid_api_key", {}),
        (HostFault("KeyError"), 500, "server_error", None, {}),
        (InvokeError("m"), 500, "server_error", None, {}),
        (ScrubberMissing("m"), 500, "server_error", "scrubber_missing", {"x-should-retry": "false"}),
        (ProviderUnreachable("m"), 502, "server_error", "provider_unreachable", {}),
        (ProviderTimeout("m"), 504, "server_error", "provider_timeout", {}),
        (BreakerOpen("m", retry_after=1.2), 503, "server_error", "breaker_open", {"retry-after": "2"}),
        (BreakerOpen("m"), 503, "server_error", "breaker_open", {}),
        (Overloaded("m"), 503, "server_error", "overloaded", {}),
        (ProviderError("m"), 502, "server_error", "provider_error", {}),
        (ProviderError("m", status=302), 502, "server_error", "provider_error", {}),
        (ProviderError("m", status=400), 400, "invalid_request_error", "provider_error", {}),
        (ProviderError("m", status=401), 502, "server_error", "provider_refused_key", {"x-should-retry": "false"}),
        (ProviderError("m", status=403), 403, "permission_error", "provider_error", {}),
        (ProviderError("m", status=404), 404, "invalid_request_error", "provider_error", {}),
        (
            ProviderError("m", status=429, retry_after=7),
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
            {"retry-after": "7"},
        ),
        (ProviderError("m", status=503, retry_after=0.1), 503, "server_error", "provider_error", {"retry-after": "1"}),
    ],
)
def test_told(error: RequestError, status: int, kind: str, code: str | None, headers: dict[str, str]) -> None:
    """The provider's own status where it means the caller, and a word for programs."""
    told = refusal(error.named("llm"))

    assert told.status == status
    assert dict(told.headers) == headers
    body = json.loads(told.body)["error"]
    assert set(body) == {"message", "type", "param", "code"}
    assert (body["type"], body["code"]) == (kind, code)
    assert body["message"]


def test_a_component_that_failed_says_why() -> None:
    """The cause is the operator's to mend, and the caller's to pass on."""
    told = json.loads(refusal(ComponentNotFound("the key is missing", component="llm")).body)["error"]
    assert told["message"] == "no component serves as model 'llm': the key is missing"
    assert told["param"] == "model"
