"""The connection to one server: a pool, its limits, and what its failures mean.

This module and ``bodies`` alone import aiohttp, and only when a component starts: finding plugins stays cheap.
"""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from jackfield.errors import InvokeError, ProviderError, ProviderTimeout, ProviderUnreachable
from jackfield.upstream.bodies import LargeBody
from jackfield.upstream.failures import status_error
from jackfield.upstream.outgoing import with_outgoing

__all__ = ["HttpReply", "Upstream"]

_LARGEST_ERROR: Final = 64 * 1024
_LARGE_BODY: Final = 64 * 1024
_TAIL_SECONDS: Final = 0.25
_STALE_SECONDS: Final = 1.0
_AUTOMATIC_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_CLOSED: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_used_before: ContextVar[bool] = ContextVar("used_before", default=False)
_FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError)


class _Connector(aiohttp.TCPConnector):
    """Tells whether the connection of the call that runs in a task was used before."""

    def __init__(self, trust: ssl.SSLContext | None) -> None:
        super().__init__(limit=0, ssl=True if trust is None else trust)
        self._known: WeakSet[object] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's signature
    ) -> aiohttp.connector.Connection:
        """Take a connection from the pool, or make one.

        One on which a server has sent something since its last answer is closed: that would be taken for the answer of
        the call that comes next, and may be another caller's.
        """
        connection = await super().connect(req, traces, timeout)
        while (protocol := connection.protocol) in self._known and protocol is not None and protocol.should_close:
            connection.close()
            connection = await super().connect(req, traces, timeout)
        _used_before.set(protocol in self._known)
        if protocol is not None and protocol not in self._known:
            self._known.add(protocol)
            if lost := getattr(protocol, "closed", None):
                lost.add_done_callback(_taken_note_of)
        return connection


def _taken_note_of(lost: asyncio.Future[None]) -> None:
    """Take a lost connection's exception, of which asyncio would complain otherwise."""
    if not lost.cancelled():
        lost.exception()


class HttpReply:
    """A reply as aiohttp gives it; see ``Reply``. Close it when done."""

    def __init__(self, upstream: Upstream, response: aiohttp.ClientResponse) -> None:
        self._upstream = upstream
        self._response = response
        # aiohttp's parser drops a body that it can't read without telling its reader, who would wait for ever.
        protocol = response.connection and response.connection.protocol
        self._lost: asyncio.Future[None] | None = getattr(protocol, "closed", None)
        if self._lost is not None:
            self._lost.add_done_callback(self._end)

    def _end(self, lost: asyncio.Future[None]) -> None:
        _taken_note_of(lost)
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection was closed"))

    @property
    def content_type(self) -> str:
        """See ``Reply.content_type``."""
        return self._response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def read(self, limit: int) -> bytes:
        """See ``Reply.read``."""
        content = self._response.content
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := await content.readany():
                size += len(piece)
                if size > limit:
                    raise ProviderError(f"the provider's reply is larger than {limit} bytes")
                pieces.append(piece)
        except _FAILURES as error:
            raise self._upstream.failure(error, begun=True) from None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """See ``Reply.pieces``."""
        content = self._response.content
        while True:
            try:
                piece = await content.readany()
            except _FAILURES as error:
                raise self._upstream.failure(error, begun=True) from None
            if not piece:
                return
            yield piece

    async def skip_tail(self) -> None:
        """See ``Reply.skip_tail``."""
        try:
            async with asyncio.timeout(_TAIL_SECONDS):
                while await self._response.content.readany():
                    pass
        except _FAILURES:
            self.close()

    def close(self) -> None:
        """See ``Reply.close``."""
        if self._lost is not None:
            self._lost.remove_done_callback(self._end)
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class Upstream:
    """One server with its pool of connections. Make it while the event loop runs.

    Args:
        endpoint: the base address, which errors name by host and port.
        headers: sent with every call.
        proxy: the proxy's address, None to connect directly.
        trust: what to verify the server with, None for the system's certificates.
        connect_seconds: how long making a connection may take.
        silence_seconds: how long the server may send nothing.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str],
        *,
        proxy: str | None = None,
        trust: ssl.SSLContext | None = None,
        connect_seconds: float = 10.0,
        silence_seconds: float = 300.0,
    ) -> None:
        self._where = _host_and_port(endpoint)
        if proxy:
            self._where += f" through the proxy {_host_and_port(proxy)}"
        self._connect_seconds = connect_seconds
        self._silence_seconds = silence_seconds
        self._proxy = URL(proxy) if proxy else None
        # Headers go with each request and are none of the session's: aiohttp shows those to a proxy that tunnels.
        self._headers = CIMultiDict(headers)
        self._session = aiohttp.ClientSession(
            connector=_Connector(trust),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_AUTOMATIC_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_seconds, sock_read=silence_seconds),
        )

    async def post(self, url: str | URL, body: bytes) -> HttpReply:
        """Send a body and return the reply once its headers are here.

        Raises:
            ProviderError: the status is not a success.
            InvokeError: there was no connection, it broke, or a limit ran out.
        """
        response = await self._send(url, body)
        reply, status = HttpReply(self, response), response.status
        if 200 <= status < 300:
            return reply
        try:
            start = await self._start_of(response)
        finally:
            reply.close()
        raise status_error(status, response.headers, start, str(url))

    async def _send(self, url: str | URL, body: bytes) -> aiohttp.ClientResponse:
        # aiohttp starts to count silence when the body has left, so a server that takes none of it needs another limit;
        # a body that fits the socket's buffer can't get stuck.
        if len(body) <= _LARGE_BODY:
            return await self._request(url, body)
        try:
            async with asyncio.timeout(self._connect_seconds + 2 * self._silence_seconds):
                return await self._request(url, body, large=True)
        except TimeoutError as error:
            raise self.failure(error) from None

    async def _request(self, url: str | URL, body: bytes, *, large: bool = False) -> aiohttp.ClientResponse:
        repeatable, asked = True, time.monotonic()
        headers = with_outgoing(self._headers)
        while True:
            _used_before.set(False)
            try:
                return await self._session.post(
                    url,
                    data=LargeBody(io.BytesIO(body)) if large else body,
                    headers=headers,
                    allow_redirects=False,
                    proxy=self._proxy,
                )
            except _FAILURES as error:
                # A server may close a kept connection at any time, also while the next call is on its way to it. A
                # call that soon got nothing back from such a one goes out again, on another. A server that has had a
                # call for longer has worked on it, and would do so twice.
                repeatable = repeatable and time.monotonic() - asked < _STALE_SECONDS
                if not (repeatable and _used_before.get() and isinstance(error, _CLOSED)):
                    raise self.failure(error) from None
            repeatable = False

    async def _start_of(self, response: aiohttp.ClientResponse) -> bytes:
        start = b""
        try:
            while len(start) < _LARGEST_ERROR and (piece := await response.content.readany()):
                start += piece
        except _FAILURES:
            return start  # The status is known; what there is of the explanation has to do.
        return start

    def failure(self, error: BaseException, *, begun: bool = False) -> InvokeError:
        """Say what a failed call means, by host and port and without anything secret.

        Args:
            error: what aiohttp raised.
            begun: whether the reply had begun.
        """
        where = self._where
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return ProviderTimeout(
                f"request timeout: no connection to {where} within {self._connect_seconds:g} s (connectTimeout);"
                " check endpoint and network"
            )
        if isinstance(error, TimeoutError):
            return ProviderTimeout(
                f"request timeout: {where} sent nothing for {self._silence_seconds:g} s (silenceTimeout)"
            )
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return ProviderUnreachable(f"network error: {where}: the proxy answered with status {error.status}")
        if isinstance(error, aiohttp.ClientSSLError):
            return ProviderUnreachable(
                f"network error: no trusted connection to {where}: {_tls_cause(error)}; a certificate of your own"
                " authority goes into caCert"
            )
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ProviderUnreachable(
                f"network error: failed to reach API server {where}: its name can't be resolved; check endpoint"
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            cause = error.os_error.strerror or "no connection"
            return ProviderUnreachable(
                f"network error: failed to reach API server {where}: {cause}; check endpoint and that the server runs"
            )
        if isinstance(error, aiohttp.ClientResponseError) and not begun:
            return ProviderError(f"{where} did not answer in HTTP; check endpoint")
        moment = "before the reply was whole" if begun else "before a reply came"
        return ProviderUnreachable(f"network error: the connection to {where} broke {moment}")

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


def _host_and_port(address: str) -> str:
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _tls_cause(error: aiohttp.ClientSSLError) -> str:
    cause = getattr(error, "certificate_error", None) or error.os_error
    text = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "the TLS handshake failed"
    return str(text)
