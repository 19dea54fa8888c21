"""How commands talk to a host that runs: one request, and an answer that is whole or comes in events."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from jackfield.cli.options import option
from jackfield.errors import JackfieldError

__all__ = ["Answer", "HostError", "RunningHostClient", "ServerSentEvent", "host_url", "token_from_environment"]

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_DEFAULT_URL = "http://127.0.0.1:3500"
_CONNECT_SECONDS = 5.0


class HostError(JackfieldError):
    """A host that runs was asked and gave no good answer; the text says what it said, or that it isn't there."""


def host_url(command: CommandT) -> CommandT:
    """Declare ``--url``, the same for every command that asks a running host."""
    return option(
        "--url",
        envvar=["JACKFIELD_URL", "DAPR_HTTP_ENDPOINT"],
        default=_DEFAULT_URL,
        metavar="URL",
        help="Where the host listens: http://..., https://... or unix:/PATH.",
    )(command)


def token_from_environment() -> str:
    """The token that the host wants; it has no option, since other users can see a process's arguments."""
    return os.environ.get("DAPR_API_TOKEN", "")


@dataclass(frozen=True)
class Answer:
    """What the host answered.

    Attributes:
        status: the HTTP status.
        body: the whole body.
    """

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            HostError: the host refused, or what answers there is no such host.
        """
        try:
            document = json.loads(self.body)
        except ValueError:
            document = None
        if self.status >= 300:
            raise HostError(_refusal(self.status, document, self.body))
        if not isinstance(document, dict):
            raise HostError("the answer is no JSON object: what listens there is no jackfield host; see --url")
        return document


@dataclass(frozen=True)
class ServerSentEvent:
    """One event of a streamed answer.

    Attributes:
        name: ``done`` or ``error``; empty for a piece of the reply.
        data: its JSON.
    """

    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class RunningHostClient:
    """Asks a running host.

    Args:
        url: ``http://HOST:PORT``, ``https://HOST:PORT`` or ``unix:/PATH``.
        token: sent as ``dapr-api-token`` unless it is empty.
        patience: seconds of silence to wait for an answer; None for as long as it takes.
    """

    url: str
    token: str = ""
    patience: float | None = None

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            HostError: no host answers at the URL, or the URL is none.
        """
        with self._asked(method, path, body, "application/json") as response:
            return Answer(response.status, response.read())

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[ServerSentEvent]:
        """Post a request and give the events of its answer as they arrive, up to ``done``.

        Raises:
            HostError: as ``request``; the host refused, told of an error, or the answer ended without ``done``.
        """
        with self._asked("POST", path, body, "text/event-stream") as response:
            if response.getheader("content-type", "").partition(";")[0] != "text/event-stream":
                Answer(response.status, response.read()).json()
                raise HostError("the host doesn't stream; ask with --no-stream")
            for event in _events(response):
                if event.name == "error":
                    raise HostError(_refusal(500, event.data, b""))
                yield event
                if event.name == "done":
                    return
        raise HostError("the answer was cut before its end; see the host's log")

    @contextmanager
    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | None, accept: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one request; gives the response, which is read within the context."""
        headers = {"connection": "close", "accept": accept}
        if self.token:
            if not (self.token.isascii() and self.token.isprintable()):
                raise HostError("the token in DAPR_API_TOKEN can't be sent in a header; use printable ASCII")
            headers["dapr-api-token"] = self.token
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        connection, prefix = _connection(self.url)
        try:
            self._connect(connection)
            connection.request(method, prefix + path, data, headers)
            yield connection.getresponse()
        except (OSError, http.client.IncompleteRead) as error:
            if isinstance(error, TimeoutError) and self.patience is not None:
                cause = f"the host at {self.url} gave no answer within {self.patience:g} s"
                raise HostError(f"{cause}; see its log") from None
            cause = f"the connection to {self.url} broke before the answer was whole ({type(error).__name__})"
            raise HostError(f"{cause}; see whether the host still runs") from None
        except http.client.HTTPException as error:
            cause = f"what answers at {self.url} doesn't speak HTTP as it should ({type(error).__name__})"
            raise HostError(f"{cause}; correct --url") from None
        finally:
            connection.close()

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            cause = f"the certificate of {self.url} can't be trusted ({error.verify_message})"
            raise HostError(f"{cause}; name the file of its CA with the variable SSL_CERT_FILE") from None
        except ssl.SSLError:
            raise HostError(f"what answers at {self.url} doesn't speak TLS; correct --url, or write http://") from None
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            cause = f"no host answers at {self.url} ({reason})"
            raise HostError(f"{cause}; start one with `jackfield serve`, or say with --url where it listens") from None
        connection.sock.settimeout(self.patience)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_CONNECT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    """Make a connection that isn't open yet, and the path that comes before every other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return _UnixConnection(unquote(parts.path)), ""
    prefix = parts.path.rstrip("/")
    if parts.scheme == "http" and host:
        return http.client.HTTPConnection(host, port, timeout=_CONNECT_SECONDS), prefix
    if parts.scheme == "https" and host:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=_CONNECT_SECONDS, context=context), prefix
    raise HostError(f"--url: {url!r} is not http://HOST:PORT, https://HOST:PORT or unix:/PATH, such as {_DEFAULT_URL}")


def _events(response: http.client.HTTPResponse) -> Iterator[ServerSentEvent]:
    """Read Server-Sent Events whose data is one line each; comments are skipped."""
    name = ""
    for line in iter(response.readline, b""):
        field, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            try:
                data = json.loads(value)
            except ValueError:
                data = None
            if not isinstance(data, dict):
                raise HostError("an event of the answer is no JSON object: what listens there is no jackfield host")
            yield ServerSentEvent(name, data)
            name = ""


def _refusal(status: int, document: Any, body: bytes) -> str:
    if isinstance(document, dict) and isinstance(document.get("message"), str):
        return f"{document.get('errorCode', status)}: {document['message']}"
    if status == 401:
        return "the host wants an API token (401); set DAPR_API_TOKEN to the one it was started with"
    text = " ".join(body[:200].decode(errors="replace").split())
    return f"the host answered {status}: {text}" if text else f"the host answered {status}"
