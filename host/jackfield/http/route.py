"""The conversation routes, matched on the path as it was sent."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from jackfield.http.replies import TEXT, Reply

__all__ = ["ConversationRoutes"]

_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_REMEMBERED = 1024
_LONGEST_REMEMBERED = 256


class ConversationRoutes:
    """``POST /VERSION/conversation/NAME/converse``.

    The name is taken from the raw path, because servers decode ``path`` and ``a%2Fb`` would never match there: slashes
    are collapsed, the path is split, then the name is unescaped as a query is (contract sheet, section 1.1).

    They stand before the router, not in it, where finding one would take 1.5 us more of every request.

    Args:
        endpoints: by the path's first part, such as ``v1.0-alpha2``; each finds the component's name in
            ``scope["jackfield.name"]``.
        paths: further endpoints by their whole path, as plugins bring them; the body names the component.
        otherwise: answers whatever is no conversation.
    """

    def __init__(self, endpoints: Mapping[str, ASGIApp], paths: Mapping[str, ASGIApp], otherwise: ASGIApp) -> None:
        self._endpoints = {version.encode(): endpoint for version, endpoint in endpoints.items()}
        self._paths = {path.encode(): endpoint for path, endpoint in paths.items()}
        self._otherwise = otherwise
        self._found: dict[bytes, tuple[ASGIApp, str]] = {}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on; no coroutine of its own, as it has nothing to wait for."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return self._otherwise(scope, receive, send)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        app, scope["jackfield.name"] = self._found.get(raw) or self._find(raw)
        return app(scope, receive, send)

    def _find(self, raw: bytes) -> tuple[ASGIApp, str]:
        parts = [part for part in raw.partition(b"?")[0].split(b"/") if part]
        if self._paths and (whole := self._paths.get(b"/" + b"/".join(parts))) is not None:
            return whole, ""
        if len(parts) != 4 or parts[1] != b"conversation" or parts[3] != b"converse":
            return self._otherwise, ""
        endpoint = self._endpoints.get(parts[0])
        if endpoint is None:
            return self._otherwise, ""
        try:
            found = endpoint, _unescaped(parts[2])
        except ValueError as error:
            return Reply(400, f'failed to unescape request parameter "name". Error: {error}'.encode(), (TEXT,)), ""
        if len(raw) <= _LONGEST_REMEMBERED:  # paths are the callers' own: they may not fill the memory
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[raw] = found
        return found


def _unescaped(part: bytes) -> str:
    bad = _ESCAPE.search(part)
    if bad is not None:
        raise ValueError(f'invalid URL escape "{bad.group().decode("latin-1")}"')
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise ValueError("invalid UTF-8") from None
