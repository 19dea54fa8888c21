"""HTTP/1.1 by hand, for tests in which the bytes on the wire matter."""

from __future__ import annotations

import socket
from http.client import HTTPResponse

from running import Reply

__all__ = ["converse_path", "message", "post", "read_reply", "said"]


def converse_path(name: str, api: str = "alpha2") -> str:
    """Return the path of a component's conversation route."""
    return f"/v1.0-{api}/conversation/{name}/converse"


def said(text: str, api: str = "alpha2") -> bytes:
    """Return the body of a request that says one thing; ``text`` goes in unescaped."""
    if api == "alpha2":
        return b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"%s"}]}}]}]}' % text.encode()
    return b'{"inputs":[{"content":"%s"}]}' % text.encode()


def message(method: str, target: str, body: bytes = b"", *lines: str, host: str = "localhost") -> bytes:
    """Write a whole request; ``lines`` are further header lines. Its length is announced unless a line says another."""
    framing = ("content-length", "transfer-encoding")
    framed = any(line.lower().startswith(framing) for line in lines)
    length = [] if framed else [f"Content-Length: {len(body)}"]
    head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, *length])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def post(name: str, text: str, *lines: str, api: str = "alpha2") -> bytes:
    """Write a request that says one thing to a component."""
    return message("POST", converse_path(name, api), said(text, api), *lines)


def read_reply(connection: socket.socket, method: str = "POST") -> Reply:
    """Read one reply that has a length; what follows it on the connection must not have been sent yet."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    body = response.read()
    return Reply(response.status, {key.lower(): value for key, value in response.getheaders()}, body)
