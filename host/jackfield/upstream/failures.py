"""What an answer other than success means: its text, shortened, and when to ask again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from http import HTTPStatus
from typing import Any, Final

import msgspec

from jackfield.errors import ProviderError

__all__ = ["LONGEST_MESSAGE", "retry_after", "stated_error", "status_error"]

LONGEST_MESSAGE: Final = 2000
"""Characters of a provider's text that are passed on."""

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


def status_error(status: int, headers: Mapping[str, str], body: bytes, address: str) -> ProviderError:
    """Make the error for a reply whose status is not a success, in the words of daprd's client.

    Args:
        status: the HTTP status.
        headers: the reply's headers, looked up in any case.
        body: the reply's body, or its start.
        address: the address that was asked, without anything secret.
    """
    message = _message(body) or _phrase(status)
    if 300 <= status < 400:
        message = f"redirected to {headers.get('Location', 'nowhere')[:200]}; redirects are not followed, set endpoint"
    elif status in {404, 405} and not _is_json(body):
        message = f"{message} (asked {address}; check endpoint, which usually ends in /v1)"
    return ProviderError(
        f"API returned unexpected status code: {status}: {message}",
        status=status,
        retry_after=retry_after(headers, now=datetime.now(UTC)),
    )


def stated_error(error: Any) -> ProviderError:
    """Make the error for an ``error`` member that came with a status of success, or within a stream."""
    status = error.get("code") if isinstance(error, dict) else None
    known = isinstance(status, int) and 400 <= status <= 599
    return ProviderError(
        f"the provider reports an error: {_stated(error) or 'without saying which'}", status=status if known else None
    )


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how many seconds the provider wants to be left alone, None if it doesn't say.

    Reads ``retry-after-ms`` and ``Retry-After`` as seconds or as an HTTP date (RFC 9110, section 10.2.3).

    Args:
        headers: the reply's headers, with names in lower case or looked up in any.
        now: the time.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in {b"{", b"["}


def _message(body: bytes) -> str:
    if _is_json(body):
        try:
            decoded = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _start(body)
        if isinstance(decoded, list) and decoded:
            decoded = decoded[0]  # Google's compatible API wraps its error in a list.
        if isinstance(decoded, dict):
            return _stated(decoded.get("error")) or _stated(decoded) or _start(body)
        return _start(body)
    if body.lstrip()[:1] == b"<":
        title = _TITLE.search(body.decode(errors="replace"))
        return _shortened(unescape(title[1])) if title else ""
    return _start(body)


def _stated(error: Any) -> str:
    if isinstance(error, str):
        return _shortened(error)
    if isinstance(error, dict):
        for key in ("message", "detail", "code", "type"):
            value = error.get(key)
            if isinstance(value, str) and value.strip():
                return _shortened(value + _behind(error))
            if isinstance(value, dict | list) and value:  # Mistral's and FastAPI's lists of what is wrong where.
                return _shortened((_stated(value) if isinstance(value, dict) else "") or _json(value))
    return ""


def _behind(error: dict[str, Any]) -> str:
    """Say what the provider behind OpenRouter said, which itself has only "Provider returned error"."""
    metadata = error.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    told = [metadata.get("provider_name"), metadata.get("raw")]
    words = [text for text in told if isinstance(text, str) and text.strip()]
    return f" ({': '.join(words)})" if words else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _start(body: bytes) -> str:
    return _shortened(body[: 4 * LONGEST_MESSAGE].decode(errors="replace"))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no further explanation"
