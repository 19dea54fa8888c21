"""What a provider sends as JSON, and the counts in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from jackfield.errors import ProviderError
from jackfield.upstream import decode, token_count


class Reply(msgspec.Struct):
    """What is expected."""

    number: int = 0
    text: str = ""


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"number": "x"}', "the reply is not a poem: Expected `int`, got `str` - at `$.number`"),
        (b'{"number": ', "the reply is not the JSON of a poem (Input data was truncated, 11 bytes)"),
        (b'{"text": "\xff"}', "the reply is not the JSON of a poem (invalid UTF-8, 13 bytes)"),
        (b"\n <html>", "the reply is HTML where JSON was expected; check that endpoint is"),
        (b'{"other": ' + b"[" * 100_000, "the reply is nested too deeply to be a poem"),
    ],
)
def test_what_is_no_reply_is_the_providers_error(data: bytes, told: str) -> None:
    """The error says what was expected, and quotes nothing of what came."""
    with pytest.raises(ProviderError) as caught:
        decode(msgspec.json.Decoder(Reply), data, what="the reply", kind="a poem")
    assert caught.value.detail.startswith(told)


def test_a_reply_is_decoded() -> None:
    """A reply in order comes back as its type."""
    assert decode(msgspec.json.Decoder(Reply), b'{"number": 7}', what="the reply", kind="a poem") == Reply(7)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (0, 0),
        (7, 7),
        (7.0, 7),
        (-1, None),
        (-1.0, None),
        (1.5, None),
        (10**30, None),
        (1e300, None),
        (True, None),
        (None, None),
        ("7", None),
        ([], None),
    ],
)
def test_a_count_is_a_whole_number_from_0(given: Any, count: int | None) -> None:
    """Whatever a server writes for a number of tokens, it is a count or nothing."""
    assert token_count(given) == count
