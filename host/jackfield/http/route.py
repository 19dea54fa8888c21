"""The conversation routes, matched on the path as it was sent."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from jackfield.http.replies import TEXT, Reply

__all__ = ["ConversationRoute"]

_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_REMEMBERED = 1024
_LONGEST_REMEMBERED = 256


class ConversationRoute(BaseRoute):
    """``POST /VERSION/conversation/NAME/converse``.

    The name is taken from the raw path, because servers decode ``path`` and ``a%2Fb`` would never match there: slashes
    are collapsed, the path is split, then the name is unescaped as a query is (contract sheet, section 1.1).

    Args:
        version: the first part of the path, such as ``v1.0-alpha2``.
        endpoint: answers; it finds the component's name in ``scope["jackfield.name"]``.
    """

    def __init__(self, version: str, endpoint: ASGIApp) -> None:
        self._version = version.encode()
        self._endpoint = endpoint
        self._names: dict[bytes, str | Reply] = {}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the raw path and the method."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return Match.NONE, {}
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        name = self._names.get(raw)
        if name is None:
            parts = [part for part in raw.partition(b"?")[0].split(b"/") if part]
            if len(parts) != 4 or parts[0] != self._version or parts[1] != b"conversation" or parts[3] != b"converse":
                return Match.NONE, {}
            name = _unescaped(parts[2])
            if len(raw) <= _LONGEST_REMEMBERED:  # paths are the callers' own: they may not fill the memory
                if len(self._names) >= _REMEMBERED:
                    self._names.clear()
                self._names[raw] = name
        return Match.FULL, {"jackfield.name": name}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse a name that can't be unescaped."""
        name = scope["jackfield.name"]
        await (name if isinstance(name, Reply) else self._endpoint)(scope, receive, send)


def _unescaped(part: bytes) -> str | Reply:
    bad = _ESCAPE.search(part)
    if bad is None:
        try:
            return unquote_to_bytes(part.replace(b"+", b" ")).decode()
        except UnicodeDecodeError:
            cause = "invalid UTF-8"
    else:
        cause = f'invalid URL escape "{bad.group().decode("latin-1")}"'
    return Reply(400, f'failed to unescape request parameter "name". Error: {cause}'.encode(), (TEXT,))
