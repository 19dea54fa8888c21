"""The replies that every route shares."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

__all__ = ["CLOSE", "JSON", "TEXT", "Header", "Reply", "direct_invoke", "unauthorized"]

Header = tuple[bytes, bytes]
CLOSE: Header = (b"connection", b"close")
JSON: Header = (b"content-type", b"application/json")
TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")
_DIRECT_INVOKE = (
    b'{"errorCode":"ERR_DIRECT_INVOKE",'
    b'"message":"failed getting app id either from the URL path or the header dapr-app-id"}'
)


class Reply:
    """A fixed reply, as an ASGI app."""

    def __init__(self, status: int, body: bytes = b"", headers: Sequence[Header] = ()) -> None:
        self._start = {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", b"%d" % len(body))] if status != 204 else [*headers],
        }
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Send it."""
        await send(self._start)
        await send(self._body)


direct_invoke = Reply(404, _DIRECT_INVOKE, (JSON,))
"""daprd's answer to every path it doesn't serve: it takes the request for a call of another app."""


unauthorized = Reply(401, b"invalid api token\n", (TEXT,))
"""daprd's answer to a request without the right ``dapr-api-token``."""
