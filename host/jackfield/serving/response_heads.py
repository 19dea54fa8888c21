"""Heads of HTTP/1.1 responses at hypercorn, checked in one go.

h11 checks every name and every value by a call of its own, which costs a reply of eight headers as much as reading its
request. One expression says the same of all of them; what it doesn't pass, h11 judges in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

import h11
from h11._headers import Headers
from hypercorn.protocol.events import Event, Response
from hypercorn.protocol.h11 import H11Protocol

__all__ = ["head", "quicken"]

# RFC 9110, sections 5.1 and 5.5, as h11 has them; a zero byte ends each name and each value, and stands in none.
_SOUND = re.compile(rb"(?:[-!#$%&'*+.^_`|~0-9a-zA-Z]++\0(?:[^\0\s]++(?:[ \t]++[^\0\s]++)*+)?+\0)*+")
_LONGEST_LENGTH = 20


def head(headers: Sequence[tuple[bytes, bytes]], status: int) -> h11.Response:
    """Make what ``h11.Response`` makes of the same.

    Args:
        headers: names and values.
        status: 200 to 999.

    Raises:
        h11.LocalProtocolError: h11's, for the same headers and in the same words.
    """
    items = _checked(headers)
    return h11.Response(headers=list(headers) if items is None else Headers(items), status_code=status)


def quicken(protocol: H11Protocol) -> None:
    """Have a connection's responses begin with heads of this module."""
    otherwise = protocol.stream_send
    config = protocol.config

    async def send(event: Event) -> None:
        if type(event) is not Response or event.status_code < 200:
            await otherwise(event)
            return
        headers = [*event.headers, *config.response_headers("h11")]
        if protocol.keep_alive_requests >= config.keep_alive_max_requests:
            headers.append((b"connection", b"close"))
        await protocol._send_h11_event(head(headers, event.status_code))  # noqa: SLF001

    protocol.stream_send = send  # type: ignore[method-assign]


def _checked(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes, bytes]] | None:
    """Return headers as h11 keeps them; None if there is anything about them that it has to look at itself."""
    text = b"\0".join(chain.from_iterable(headers)) + b"\0"
    if text.count(b"\0") != 2 * len(headers) or _SOUND.fullmatch(text) is None:
        return None
    items: list[tuple[bytes, bytes, bytes]] = []
    measured = False
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            if measured or not value.isdigit() or len(value) > _LONGEST_LENGTH:
                return None
            measured = True
        elif lower == b"transfer-encoding":
            return None
        items.append((name, lower, value))
    return items
