"""Reading what a provider sends as JSON: what isn't of its API is its error, and an odd count is none."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from jackfield.errors import ProviderError

__all__ = ["decode", "token_count"]

DecodedT = TypeVar("DecodedT")
_MOST: Final = 2**53 - 1
"""What JSON's numbers can count to everywhere; sums of these fit gRPC's 64 bits."""


def decode(decoder: msgspec.json.Decoder[DecodedT], data: bytes, *, what: str, kind: str) -> DecodedT:
    """Decode a reply, or an event of one.

    Args:
        decoder: of the type that the API's reference describes.
        data: what the provider sent.
        what: what that is, such as ``the provider's reply``.
        kind: what it should be, such as ``a chat completion``.

    Raises:
        ProviderError: it is not JSON, not of the expected shape, or nested too deeply.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise ProviderError(f"{what} is not {kind}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if data[:200].lstrip()[:1] == b"<":
            raise ProviderError(
                f"{what} is HTML where JSON was expected; check that endpoint is the base address of the API,"
                " which usually ends in /v1"
            ) from None
        cause = "invalid UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise ProviderError(f"{what} is not the JSON of {kind} ({cause}, {len(data)} bytes)") from None
    except RecursionError:
        raise ProviderError(f"{what} is nested too deeply to be {kind}") from None


def token_count(given: Any) -> int | None:
    """Return a count of tokens as a provider tells it, None for what is none.

    Servers write ``2.0``, and -1 for what they don't know. A reply is worth more than its counts: none is refused for
    them.
    """
    if type(given) is int:
        return given if 0 <= given <= _MOST else None
    return int(given) if isinstance(given, float) and given.is_integer() and 0 <= given <= _MOST else None
