"""What is said about an answer that is no success."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jackfield.upstream.failures import LONGEST_MESSAGE, retry_after, status_error

ADDRESS = "http://host:8000/v1/chat/completions"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"error": {"message": "Incorrect API key"}}', "401: Incorrect API key"),
        (429, b'{"error": {"message": "Rate\\n limit"}}', "429: Rate limit"),
        (400, b'{"error": "bad schema"}', "400: bad schema"),
        (400, b'[{"error": {"message": "Google"}}]', "400: Google"),
        (422, b'{"detail": "vLLM"}', "422: vLLM"),
        (400, b'{"object": "error", "message": "older vLLM"}', "400: older vLLM"),
        (400, b'{"error": {"message": "", "code": "teapot"}}', "400: teapot"),
        (
            422,
            b'{"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "too many"}]}, "type": "bad"}',
            '422: [{"loc":["body","n"],"msg":"too many"}]',
        ),
        (422, b'{"detail": [{"loc": ["body"], "msg": "bad"}]}', '422: [{"loc":["body"],"msg":"bad"}]'),
        (400, b'{"error": {"message": {"a": 1}}}', '400: {"a":1}'),
        (
            400,
            b'{"error": {"message": "Provider returned error", "metadata": {"raw": "bad tool", "provider_name": "M"}}}',
            "400: Provider returned error (M: bad tool)",
        ),
        (402, b'{"error": {"message": "No credits", "metadata": {"raw": null}}}', "402: No credits"),
        (500, b"", "500: Internal Server Error"),
        (599, b"", "599: no further explanation"),
        (500, b"plain words", "500: plain words"),
        (500, b'{"half', '500: {"half'),
        (503, b"[]", "503: []"),
        (502, b"<html><title>502 Bad &amp; Gateway</title><p>long</p>", "502: 502 Bad & Gateway"),
        (502, b"<html>no title", "502: Bad Gateway"),
        (500, b"\xff\xfe", "500: \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (404, b"not here", f"404: not here (asked {ADDRESS}; check endpoint, which usually ends in /v1)"),
        (404, b'{"error": {"message": "no such model"}}', "404: no such model"),
    ],
)
def test_message(status: int, body: bytes, expected: str) -> None:
    """The provider's own words are told, in daprd's sentence, and its status is kept."""
    error = status_error(status, {}, body, ADDRESS)
    assert error.detail == f"API returned unexpected status code: {expected}"
    assert error.status == status


def test_redirect() -> None:
    """A redirect isn't followed, as it could take the key elsewhere; the text names the place."""
    error = status_error(308, {"Location": "https://other/v1"}, b"", ADDRESS)
    assert "308: redirected to https://other/v1; redirects are not followed, set endpoint" in error.detail


def test_long_message() -> None:
    """A very long text is cut."""
    error = status_error(500, {}, b"x" * 60_000, ADDRESS)
    assert len(error.detail) == len("API returned unexpected status code: 500: ") + LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "20", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "20", "retry-after-ms": "soon"}, 20.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds and dates are understood; nonsense is as good as nothing."""
    assert retry_after(headers, now=NOW) == seconds
