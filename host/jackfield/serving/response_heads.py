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
from hypercorn.events import RawData
from hypercorn.protocol.events import Body, EndBody, Event, Response
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
    """Have a connection's responses begin with heads of this module, and leave in as few pieces as they can.

    hypercorn hands on head, body and end one by one, each of which takes its turn at the connection. A head that tells
    the length of its body waits for it here: whoever knows the length has the body at hand.
    """
    otherwise = protocol.stream_send
    config = protocol.config
    held = b""

    async def send(event: Event) -> None:
        nonlocal held
        data, held = held, b""
        if type(event) is Body:
            data += _written(protocol, h11.Data(data=event.data))
        elif type(event) is EndBody:
            data += _written(protocol, h11.EndOfMessage())
        elif type(event) is Response and event.status_code >= 200:
            headers = [*event.headers, *config.response_headers("h11")]
            if protocol.keep_alive_requests >= config.keep_alive_max_requests:
                headers.append((b"connection", b"close"))
            data = _written(protocol, head(headers, event.status_code))
            if any(name == b"content-length" for name, _ in headers):
                held = data
                return
        else:
            if data:
                await protocol.send(RawData(data=data))
            await otherwise(event)
            return
        if data:
            await protocol.send(RawData(data=data))

    protocol.stream_send = send  # type: ignore[method-assign]


def _written(protocol: H11Protocol, event: h11.Event) -> bytes:
    """Return what h11 writes for an event; nothing for a client who has broken the protocol, as hypercorn has it."""
    try:
        return protocol.connection.send(event) or b""  # type: ignore[arg-type]
    except h11.LocalProtocolError:
        if protocol.connection.their_state != h11.ERROR:
            raise
        return b""


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
