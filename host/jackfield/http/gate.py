"""What every request passes before a route sees it: origin, host name and token."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from hmac import compare_digest

from starlette.types import ASGIApp, Receive, Scope, Send

from jackfield.http.names import HostNames, Judgement
from jackfield.http.replies import CLOSE, JSON, Reply

__all__ = ["Gate", "normal_origin"]

_WITHOUT_TOKEN = frozenset({"/v1.0/healthz", "/v1.0/healthz/outbound"})
_SLASHES = re.compile(r"/{2,}")
_FORBIDDEN = Reply(
    403,
    b'{"errorCode":"ERR_ORIGIN_NOT_ALLOWED","message":"this host does not answer web pages of that origin; '
    b'list it in --allowed-origins to let them in"}',
    (JSON,),
)
_BAD_HOST = Reply(
    400, b'{"errorCode":"ERR_BAD_REQUEST","message":"invalid request: the Host header is no host name"}', (JSON,)
)
_STRANGE_HOST = Reply(
    403,
    b'{"errorCode":"ERR_HOST_NOT_ALLOWED","message":"this host does not answer under the name in the Host header; '
    b'list it in --allowed-hosts, or set DAPR_API_TOKEN"}',
    (JSON,),
)
_TWO_LENGTHS = Reply(
    400,
    b'{"errorCode":"ERR_BAD_REQUEST","message":"invalid request: both Content-Length and Transfer-Encoding are given"}',
    (JSON, CLOSE),
)
_JUDGED = frozenset({b"host", b"origin", b"dapr-api-token", b"transfer-encoding", b"access-control-request-method"})
_HOSTS = {Judgement.KNOWN: None, Judgement.NO_NAME: _BAD_HOST, Judgement.STRANGE: _STRANGE_HOST}


def normal_origin(origin: str) -> str:
    """Return an origin as browsers send it: in lower case and without a slash at its end."""
    return origin.strip().rstrip("/").lower()


class Gate:
    """Turns away what must not reach a route, and gives paths their one form.

    A browser sends ``Origin`` with whatever a page does across origins, so that a page which isn't listed can do
    nothing here, whatever it calls this host.

    Args:
        app: what comes next.
        unauthorized: answers in its place where the token is not right.
        api_token: what ``dapr-api-token`` must hold; empty asks for nothing. Compared in constant time.
        allowed_origins: origins whose pages may call; ``*`` allows all.
        host_names: judges the ``Host`` header; without it every name will do.
        takes_bearer: tells by a path whether ``Authorization: Bearer`` may hold the token as well: clients of other
            APIs have it there.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        unauthorized: ASGIApp,
        api_token: str = "",
        allowed_origins: Collection[str] = (),
        host_names: HostNames | None = None,
        takes_bearer: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._unauthorized = unauthorized
        self._token = api_token.encode()
        self._takes_bearer = takes_bearer
        self._host_names = HostNames() if host_names is None else host_names
        self._known_hosts = self._host_names.known
        self._any_origin = "*" in allowed_origins
        self._origins = frozenset(normal_origin(origin).encode() for origin in allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        refusal: ASGIApp | None = None
        if scope["type"] == "http":
            path = scope["path"]
            if len(path) > 1 and ("//" in path or path[-1] == "/"):
                scope["path"] = _SLASHES.sub("/", path).rstrip("/") or "/"
            refusal = self._refusal(scope)
        await (self._app if refusal is None else refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        refusal: ASGIApp | None = None
        token = b""
        preflight = False
        for name, value in scope["headers"]:
            if name not in _JUDGED:
                continue
            if name == b"host":
                if value not in self._known_hosts:
                    refusal = refusal or _HOSTS[self._host_names.judge(value)]
            elif name == b"origin":
                refusal = refusal if self._any_origin or value.lower() in self._origins else _FORBIDDEN
            elif name == b"dapr-api-token":
                token = value
            elif name == b"transfer-encoding":
                refusal = refusal or _two_lengths(scope)
            else:
                # Browsers send no token with the question whether they may.
                preflight = bool(self._origins) and scope["method"] == "OPTIONS"
        if refusal is None and self._token and not compare_digest(token, self._token):
            exempt = scope["method"] == "GET" and scope["path"] in _WITHOUT_TOKEN
            return None if exempt or preflight or self._bears_token(scope) else self._unauthorized
        return refusal

    def _bears_token(self, scope: Scope) -> bool:
        if not self._takes_bearer(scope["path"]):
            return False
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, bearer = sent[0].partition(b" ") if len(sent) == 1 else (b"", b"", b"")
        return scheme.lower() == b"bearer" and compare_digest(bearer.strip(), self._token)


def _two_lengths(scope: Scope) -> Reply | None:
    """Refuse a request whose end somebody on its way may have found elsewhere (RFC 9112, section 6.1)."""
    return _TWO_LENGTHS if any(name == b"content-length" for name, _ in scope["headers"]) else None
