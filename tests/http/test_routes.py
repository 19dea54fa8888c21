"""Which paths and methods are answered, and how a path names a component (contract sheet, section 1.1)."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest
from raw_http import converse_path, message, post, read_reply, said
from running import Reply, RunningHost, send

DIRECT_INVOKE = {
    "errorCode": "ERR_DIRECT_INVOKE",
    "message": "failed getting app id either from the URL path or the header dapr-app-id",
}
APIS = pytest.mark.parametrize("api", ["alpha1", "alpha2"])


def exchange(host: RunningHost, data: bytes, method: str = "POST") -> Reply:
    """Send bytes on a connection of their own and read one reply."""
    with host.connect() as connection:
        connection.sendall(data)
        return read_reply(connection, method)


def content(reply: Reply) -> str:
    """Return what an alpha2 echo said."""
    assert reply.status == 200, reply
    text: str = reply.json["outputs"][0]["choices"][0]["message"]["content"]
    return text


@APIS
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_conversation_routes_know_post_alone(host: RunningHost, api: str, method: str) -> None:
    """Another method is not a 405: the path isn't served at all."""
    reply = exchange(host, message(method, converse_path("echo", api), said("hello", api)), method)
    assert (reply.status, reply.headers["content-type"], reply.json) == (404, "application/json", DIRECT_INVOKE)


def test_a_head_request_is_unknown_too(host: RunningHost) -> None:
    """HEAD gets the status alone and leaves the connection in order."""
    with host.connect() as connection:
        connection.sendall(message("HEAD", converse_path("echo")))
        assert read_reply(connection, "HEAD").status == 404
        connection.sendall(post("echo", "still here"))
        assert content(read_reply(connection)) == "still here"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/"),
        ("GET", "//"),
        ("GET", "/v1.0"),
        ("POST", "/v1.0-alpha1/conversation/echo"),
        ("POST", "/v1.0-alpha2/conversation/echo"),
        ("POST", "/v1.0-alpha2/conversation//converse"),
        ("POST", "/v1.0-alpha2/conversation/echo/converse/more"),
        ("POST", "/v1.0-alpha2/conversation/a/b/converse"),
        ("POST", "/v1.0-alpha2/conversation/x/../echo/converse"),
        ("POST", "/more/v1.0-alpha2/conversation/echo/converse"),
        ("POST", "/v1.0-alpha3/conversation/echo/converse"),
        ("POST", "/V1.0-alpha2/conversation/echo/converse"),
        ("POST", "/v1.0-alpha2/Conversation/echo/converse"),
        ("POST", "/v1.0-alpha2%2Fconversation/echo/converse"),
        ("POST", "/v1.0/conversation/echo/converse"),
        ("POST", "/v1.0/healthz"),
        ("PUT", "/v1.0/healthz/outbound"),
        ("GET", "/v1.0/healthz/inbound"),
        ("GET", "/v1.0/healthz/outbound/more"),
        ("POST", "/v1.0/metadata"),
        ("DELETE", "/v1.0/metadata"),
        ("GET", "/v1.0/metadata/key"),
        ("POST", "/v1.0/metadata/key"),
        ("GET", "/v1.0/shutdown"),
        ("PUT", "/v1.0/shutdown"),
        ("GET", "/v1.0/state/store/key"),
        ("GET", "/v1.0/invoke/app/method/x"),
        ("POST", "/%zz"),
        ("GET", "/docs"),
        ("GET", "/openapi.yaml"),
    ],
)
def test_what_is_not_served_is_a_call_of_another_app(host: RunningHost, method: str, path: str) -> None:
    """Every unmatched path and method gets daprd's 404, in JSON."""
    reply = exchange(host, message(method, path), method)
    assert (reply.status, reply.headers["content-type"], reply.json) == (404, "application/json", DIRECT_INVOKE)


@pytest.mark.parametrize(
    "path",
    [
        "/v1.0-alpha2/conversation/echo/converse",
        "/v1.0-alpha2/conversation/echo/converse/",
        "/v1.0-alpha2/conversation/echo/converse///",
        "//v1.0-alpha2///conversation//echo////converse",
        "/v1.0-alpha2/conversation/%65cho/converse",
        "/v1.0-alpha2/conversation/echo/converse?metadata.model=x&name=%zz",
        "/v1.0-alpha2/conversation/echo/converse/?",
        "/v1.0-alpha2/conversation/echo/converse?a=/b//c/",
    ],
)
def test_slashes_and_query_change_nothing(host: RunningHost, path: str) -> None:
    """Slashes are collapsed, one at the end is stripped, and a query isn't read."""
    assert content(exchange(host, message("POST", path, said("hi")))) == "hi"


@pytest.mark.parametrize(
    "path", ["/v1.0/healthz/", "//v1.0//healthz", "/v1.0/healthz?x=1", "/v1.0/healthz///outbound//"]
)
def test_slashes_change_nothing_on_the_other_routes(host: RunningHost, path: str) -> None:
    """The rules for slashes hold for every route."""
    assert exchange(host, message("GET", path), "GET").status == 204


@APIS
@pytest.mark.parametrize("written", ["a+b", "a%20b", "%61%20%62", "a%20b/"])
def test_a_name_is_unescaped_as_a_query_is(host: RunningHost, api: str, written: str) -> None:
    """A plus sign and %20 are both a space."""
    path = f"/v1.0-{api}/conversation/{written}/converse".replace("//", "/")
    assert exchange(host, message("POST", path, said("hi", api))).status == (200 if api == "alpha2" else 202)


@APIS
@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a%2Fb", "a/b"),
        ("%2fecho", "/echo"),
        ("echo%2F", "echo/"),
        ("a%2Bb", "a+b"),
        ("a%252Fb", "a%2Fb"),
        ("caf%C3%A9", "caf\u00e9"),
        ("ECHO", "ECHO"),
        ("..%2F..%2Fetc", "../../etc"),
        ("..", ".."),
        ("%00", "\x00"),
        ("{component}", "{component}"),
        ("n" * 2000, "n" * 2000),
    ],
)
def test_an_unknown_name_is_a_400_that_says_it(host: RunningHost, api: str, written: str, name: str) -> None:
    """%2F becomes a slash inside the name instead of splitting the path; the error repeats the name as it was meant."""
    reply = exchange(host, message("POST", converse_path(written, api), said("hi", api)))
    assert reply.status == 400
    assert reply.json == {
        "errorCode": "ERR_CONVERSATION_NOT_FOUND",
        "message": f"failed finding conversation component {name}",
    }


@APIS
@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("%", 'invalid URL escape "%"'),
        ("%2", 'invalid URL escape "%2"'),
        ("a%zz", 'invalid URL escape "%zz"'),
        ("a%2gb", 'invalid URL escape "%2g"'),
        ("echo%", 'invalid URL escape "%"'),
        ("caf%C3", "invalid UTF-8"),
    ],
)
def test_a_bad_escape_is_told_as_daprd_does(host: RunningHost, api: str, written: str, cause: str) -> None:
    """A name that can't be unescaped is 400 in plain text."""
    reply = exchange(host, message("POST", converse_path(written, api), said("hi", api)))
    assert reply.status == 400
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.body.decode() == f'failed to unescape request parameter "name". Error: {cause}'


@pytest.mark.parametrize(
    "line",
    [
        "Content-Type: text/plain",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: multipart/form-data",
        "Content-Type: application/json; charset=utf-16",
        "Content-Type: nonsense",
        "Content-Type:",
        "Accept: text/html",
    ],
)
def test_content_type_is_never_checked(host: RunningHost, line: str) -> None:
    """The body is JSON whatever its header says."""
    reply = exchange(host, post("echo", "hi", line))
    assert content(reply) == "hi"
    assert reply.headers["content-type"] == "application/json"


def test_a_name_in_the_body_changes_nothing(host: RunningHost) -> None:
    """The component is the one in the path."""
    body = {"name": "a b", "inputs": [{"content": "x"}]}
    assert host.request("POST", converse_path("nobody", "alpha1"), body).json["message"].endswith(" nobody")
    assert host.request("POST", converse_path("echo", "alpha1"), body).status == 202


def test_a_connection_is_kept_through_errors(host: RunningHost) -> None:
    """One connection serves replies, refusals and unknown paths in turn."""
    connection = host.connection()
    try:
        for turn in range(3):
            connection.connect() if connection.sock is None else None
            sock = connection.sock
            assert send(connection, "POST", converse_path("nobody"), said("x")).status == 400
            assert send(connection, "GET", "/nowhere").status == 404
            assert send(connection, "POST", converse_path("echo"), b"{").status == 400
            assert content(send(connection, "POST", converse_path("echo"), said(str(turn)))) == str(turn)
            assert send(connection, "GET", "/v1.0/healthz").status == 204
            assert connection.sock is sock, "the connection was closed in between"
    finally:
        connection.close()


def test_pipelined_requests_are_answered_in_order(host: RunningHost) -> None:
    """Two requests in one piece get two replies, the first one's first."""
    with host.connect() as connection:
        connection.sendall(post("echo", "one") + post("echo", "two", "Connection: close"))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 200") == 2
    assert received.index(b'"one"') < received.index(b'"two"')


def test_http_1_0_is_answered_and_closed(host: RunningHost) -> None:
    """An old client gets its reply, and then the end of the connection."""
    with host.connect() as connection:
        connection.sendall(post("echo", "old").replace(b"HTTP/1.1", b"HTTP/1.0"))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert b'"content":"old"' in received


@pytest.mark.parametrize("given", ["abc-123", "a" * 128, "00-4bf92f3577b34da6a3ce929d0e0e4736-01", "with space", "~!@"])
@APIS
def test_a_request_id_is_given_back(host: RunningHost, api: str, given: str) -> None:
    """A caller finds its own id on the reply, errors included."""
    assert host.converse("echo", api=api, x_request_id=given).headers["x-request-id"] == given
    assert host.converse("nobody", api=api, x_request_id=given).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a" * 129, "tab\there", "\u00e9", "bell\x07"])
def test_a_request_id_that_is_none_is_replaced(host: RunningHost, given: str) -> None:
    """Too long or unprintable ids never come back; the host's own takes their place."""
    with host.connect() as connection:
        connection.sendall(post("echo", "hi", f"x-request-id: {given}"))
        reply = read_reply(connection)
    if reply.status == 200:  # a server may refuse a control character before the host sees it
        assert reply.headers["x-request-id"] not in {"", given}
        assert reply.headers["x-request-id"].isascii()
        assert len(reply.headers["x-request-id"]) < 40
    else:
        assert (reply.status, given) == (400, "bell\x07")


def test_made_request_ids_differ(host: RunningHost) -> None:
    """A request without an id gets one that no other has."""
    ids = {host.converse("echo").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
    assert "" not in ids


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"\x00" * 100 + b"\r\n\r\n",
        b"POST /v1.0-alpha2/conversation/\xff/converse HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        message("POST", converse_path("echo"), b"", "Content-Length: -5"),
        message("POST", converse_path("echo"), b"", "Content-Length: 99999999999999999999999"),
        message("POST", converse_path("echo"), b"", "Transfer-Encoding: chunked") + b"zz\r\n",
        message("GET", "/v1.0/healthz", b"", "bad header line"),
    ],
)
def test_bytes_that_are_no_http_harm_nobody(host: RunningHost, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What isn't HTTP gets a 400 or the end of its connection, and the next client its reply."""
    with host.connect() as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    assert not received or received.startswith(b"HTTP/1.1 400")
    assert host.converse("echo").status == 200
    assert [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}] == []
