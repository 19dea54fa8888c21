"""What is turned away before any route: web pages, missing tokens, bad host names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_http import converse_path, message, post, read_reply, said
from running import Reply, RunningHost, component

from jackfield.http.names import HostNames, Judgement, host_names
from jackfield.manifests.configuration import read_configuration
from jackfield.options import HostOptions
from jackfield.serving.network import Network
from upstream import running_upstream

TOKEN = "token-0123456789"
ORIGIN = "https://app.example.com"
ROUTES = pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", converse_path("echo", "alpha1")),
        ("POST", converse_path("echo", "alpha2")),
        ("POST", converse_path("nobody")),
        ("POST", converse_path("%zz")),
        ("GET", "/v1.0/healthz"),
        ("GET", "/v1.0/healthz/outbound"),
        ("GET", "/v1.0/metadata"),
        ("PUT", "/v1.0/metadata/key"),
        ("POST", "/v1.0/shutdown"),
        ("GET", "/nowhere"),
        ("OPTIONS", converse_path("echo")),
        ("DELETE", "/v1.0/metadata"),
    ],
)
HEALTH = {"/v1.0/healthz", "/v1.0/healthz/outbound"}


def served(folder: Path, server: str, **options: object) -> RunningHost:
    """Make a host with one echo component."""
    (folder / "echo.yaml").write_text(component("echo"))
    return RunningHost(folder, Network(port=0, server=server), dict(options))


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="guarded")
def _guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that asks for a token."""
    with served(tmp_path_factory.mktemp("manifests"), request.param, api_token=TOKEN) as running:
        yield running


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="listed")
def _listed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that lets pages of one origin in."""
    folder = tmp_path_factory.mktemp("manifests")
    with served(folder, request.param, allowed_origins=(ORIGIN,), api_token=TOKEN) as running:
        yield running


def exchange(host: RunningHost, data: bytes, method: str = "POST") -> Reply:
    """Send bytes on a connection of their own and read one reply."""
    with host.connect() as connection:
        connection.sendall(data)
        return read_reply(connection, method)


@ROUTES
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:3500", "file://"])
def test_a_page_of_any_origin_is_refused(host: RunningHost, method: str, path: str, origin: str) -> None:
    """Nothing is done for a web page, whatever it asks, and the reply names the option."""
    body = b"" if method == "GET" else said("hi")
    reply = exchange(host, message(method, path, body, f"Origin: {origin}"), method)
    assert reply.status == 403
    assert reply.json["errorCode"] == "ERR_ORIGIN_NOT_ALLOWED"
    assert "--allowed-origins" in reply.json["message"]
    assert not any(name.startswith("access-control") for name in reply.headers)


@ROUTES
def test_a_page_that_is_not_listed_is_refused_beside_one_that_is(listed: RunningHost, method: str, path: str) -> None:
    """A list lets in what it names: not a page on another port, not one whose name begins alike."""
    for origin in (ORIGIN + ":8443", ORIGIN + ".evil.example", "http://app.example.com", "null"):
        reply = exchange(listed, message(method, path, b"", f"Origin: {origin}", f"dapr-api-token: {TOKEN}"), method)
        assert (reply.status, reply.json["errorCode"]) == (403, "ERR_ORIGIN_NOT_ALLOWED")


def test_two_origins_are_as_good_as_the_worse(listed: RunningHost) -> None:
    """A second Origin header can't smuggle a page in."""
    for lines in ([ORIGIN, "null"], ["null", ORIGIN]):
        headers = [f"Origin: {origin}" for origin in lines]
        assert exchange(listed, post("echo", "hi", f"dapr-api-token: {TOKEN}", *headers)).status == 403


def test_a_listed_page_is_answered_and_may_read_it(listed: RunningHost) -> None:
    """A page that is listed gets its reply with the header that lets it read it."""
    for origin in (ORIGIN, ORIGIN.upper().replace("HTTPS", "https")):
        reply = exchange(listed, post("echo", "hi", f"dapr-api-token: {TOKEN}", f"Origin: {origin}"))
        assert reply.status == 200
    reply = exchange(listed, post("echo", "hi", f"dapr-api-token: {TOKEN}", f"Origin: {ORIGIN}"))
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert reply.headers["vary"] == "Origin"
    assert {"x-request-id", "x-jackfield-ignored"} <= set(
        reply.headers["access-control-expose-headers"].replace(" ", "").split(",")
    )


@pytest.mark.parametrize("path", [converse_path("echo", "alpha1"), converse_path("echo", "alpha2"), "/v1.0/metadata"])
def test_a_listed_page_may_ask_first(listed: RunningHost, path: str) -> None:
    """A preflight carries no token; it is answered for a listed origin, with the headers that callers send."""
    reply = exchange(
        listed,
        message(
            "OPTIONS",
            path,
            b"",
            f"Origin: {ORIGIN}",
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: content-type, dapr-api-token, x-request-id",
        ),
        "OPTIONS",
    )
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in reply.headers["access-control-allow-methods"]
    allowed = reply.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("content-type", "dapr-api-token", "x-request-id"))


@pytest.mark.parametrize("written", ["https://App.Example.com", "https://app.example.com/"])
def test_an_origin_is_listed_as_people_write_it(tmp_path: Path, written: str) -> None:
    """Case and a slash at the end make no difference between the list and what browsers send."""
    with served(tmp_path, "hypercorn", allowed_origins=(written,)) as host:
        reply = exchange(host, post("echo", "hi", f"Origin: {ORIGIN}"))
        assert (reply.status, reply.headers.get("access-control-allow-origin")) == (200, ORIGIN)


def test_a_page_still_needs_the_token(listed: RunningHost) -> None:
    """Being listed is no token; and OPTIONS that is no preflight isn't one either."""
    reply = exchange(listed, post("echo", "hi", f"Origin: {ORIGIN}"))
    assert (reply.status, reply.body) == (401, b"invalid api token\n")
    assert reply.headers["access-control-allow-origin"] == ORIGIN, "the page can't read what is wrong"
    assert exchange(listed, message("OPTIONS", "/v1.0/metadata"), "OPTIONS").status == 401
    assert exchange(listed, message("OPTIONS", "/v1.0/metadata", b"", f"Origin: {ORIGIN}"), "OPTIONS").status == 401


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_star_lets_every_page_in(tmp_path: Path, server: str) -> None:
    """``*`` allows all origins, ``null`` too."""
    with served(tmp_path, server, allowed_origins=("*",)) as host:
        for origin in ("https://any.example", "null"):
            reply = exchange(host, post("echo", "hi", f"Origin: {origin}"))
            assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "*")


def test_one_page_or_program_without_origin_is_served(host: RunningHost) -> None:
    """No Origin, no question: programs send none."""
    assert host.converse("echo").status == 200


@ROUTES
@pytest.mark.parametrize(
    "lines", [[], ["dapr-api-token: wrong"], ["dapr-api-token:"], ["authorization: Bearer " + TOKEN]]
)
def test_without_the_token_nothing_is_answered(guarded: RunningHost, method: str, path: str, lines: list[str]) -> None:
    """Every route and method is 401 in plain text without the right token; only the health routes are not."""
    body = b"" if method == "GET" else said("hi")
    reply = exchange(guarded, message(method, path, body, *lines), method)
    if path in HEALTH:
        assert reply.status == 204
    else:
        assert (reply.status, reply.body) == (401, b"invalid api token\n")
        assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/v1.0/healthz/", "//v1.0//healthz", "/v1.0/healthz?appid="])
def test_the_health_routes_are_exempt_however_they_are_written(guarded: RunningHost, path: str) -> None:
    """Slashes and query don't bring the token back; another method does."""
    assert exchange(guarded, message("GET", path), "GET").status == 204
    assert exchange(guarded, message("POST", path)).status == 401


def test_the_right_token_opens(guarded: RunningHost) -> None:
    """With the token every route answers, and a header's name has any case."""
    assert exchange(guarded, post("echo", "hi", f"dapr-api-token: {TOKEN}")).status == 200
    assert exchange(guarded, post("echo", "hi", f"Dapr-Api-Token: {TOKEN}", api="alpha1")).status == 202
    assert exchange(guarded, message("GET", "/v1.0/metadata", b"", f"dapr-api-token: {TOKEN}"), "GET").status == 200
    assert exchange(guarded, message("GET", "/nowhere", b"", f"dapr-api-token: {TOKEN}"), "GET").status == 404


@pytest.mark.parametrize(
    "token", [TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "x" * 4000, "\u00e9" * 16, f"{TOKEN}, {TOKEN}"]
)
def test_a_token_is_compared_whole(guarded: RunningHost, token: str) -> None:
    """Nearly the token is not the token."""
    assert exchange(guarded, post("echo", "hi", f"dapr-api-token: {token}")).status == 401


def test_the_token_stays_here(tmp_path: Path) -> None:
    """Neither token nor origin nor any header of the caller reaches the provider."""
    with running_upstream() as upstream:
        llm = component("llm", "conversation.openai", key="sk-0123456789", endpoint=upstream.endpoint)
        (tmp_path / "llm.yaml").write_text(llm)
        with RunningHost(tmp_path, options={"api_token": TOKEN}) as host:
            reply = exchange(host, post("llm", "hi", f"dapr-api-token: {TOKEN}", "x-own: caller-header"))
            assert reply.status == 200
        (asked,) = upstream.requests
        sent = repr(asked.headers) + repr(asked.data) + asked.target
        assert TOKEN not in sent
        assert "caller-header" not in sent


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", "localhost/..", "http://localhost", "a b", "a@b", "a\\b", "<x>"])
def test_a_host_that_is_none_is_refused(host: RunningHost, name: str) -> None:
    """A Host header that would end the host part of a URL is 400, whatever the route."""
    for data, method in (
        (message("POST", converse_path("echo"), said("hi"), host=name), "POST"),
        (message("GET", "/v1.0/healthz", host=name), "GET"),
    ):
        reply = exchange(host, data, method)
        assert (reply.status, reply.json["errorCode"]) == (400, "ERR_BAD_REQUEST")
        assert reply.json["message"].startswith("invalid request: ")
        assert "Host" in reply.json["message"]


LOCAL = ["localhost:3500", "LOCALHOST", "localhost.", "a.localhost:1", "host.docker.internal", "", "localhost:"]
ADDRESSES = ["127.0.0.1", "127.0.0.1:3500", "10.1.2.3:80", "[::1]:3500", "[::1]", "[fe80::1]"]
STRANGE = [
    *(
        "evil.example",
        "evil.example:3500",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
    ),
    *("evil-localhost", "notlocalhost", "internal", "localhost:3500:80", "[evil.example]"),
    *("[::1].evil.example", "[]", "0x7f.1", "127.1", "2130706433", "a_b", "localhost..", "localhost:evil"),
    *("::1", "llm.default.svc.cluster.local"),
]


@pytest.mark.parametrize("name", [*LOCAL, *ADDRESSES])
def test_a_host_is_served_by_its_own_names_and_by_addresses(host: RunningHost, name: str) -> None:
    """On loopback, local names and all addresses are in order, in any case and with any port."""
    assert exchange(host, message("POST", converse_path("echo"), said("hi"), host=name)).status == 200


@ROUTES
@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example:3500"])
def test_a_page_whose_name_points_here_reads_nothing(host: RunningHost, method: str, path: str, name: str) -> None:
    """On loopback without a token a strange name is 403 on every route and method, and the reply names the option."""
    reply = exchange(host, message(method, path, b"" if method == "GET" else said("hi"), host=name), method)
    assert (reply.status, reply.json["errorCode"]) == (403, "ERR_HOST_NOT_ALLOWED")
    assert "--allowed-hosts" in reply.json["message"]


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_that_only_looks_local_is_strange(name: str) -> None:
    """Names that begin, end or are written like a local one are none."""
    names = HostNames(())
    assert names.judge(name.encode()) is Judgement.STRANGE
    assert not names.known


@pytest.mark.parametrize(
    "name", ["llm.example", "LLM.example:3500", "a_b", "localhost", "proxy.example", "proxy.example:1"]
)
def test_a_listed_name_is_served(name: str) -> None:
    """A list adds to the local names, in any case and with any port, also a listed one, and to nothing else."""
    names = HostNames(("Llm.Example", "a_b.", "proxy.example:8443"))
    assert names.judge(name.encode()) is Judgement.KNOWN
    assert names.judge(b"x.llm.example") is Judgement.STRANGE


@pytest.mark.parametrize(
    ("options", "network", "guarded"),
    [
        ({}, Network(), True),
        ({}, Network(addresses=("localhost", "::1", "127.8.8.8")), True),
        ({}, Network(addresses=("127.0.0.1", "0.0.0.0")), False),
        ({}, Network(addresses=("",)), False),
        ({"api_token": TOKEN}, Network(), False),
        ({}, Network(certificate=Path("cert.pem")), False),
        ({}, Network(unix_socket=Path("socket")), False),
        ({}, None, False),
        ({"allowed_hosts": ("*",)}, Network(), False),
        ({"allowed_hosts": ("llm.example",)}, None, True),
        ({"allowed_hosts": ("llm.example",), "api_token": TOKEN}, Network(addresses=("",)), True),
    ],
)
def test_names_are_looked_at_where_nothing_else_guards(
    options: dict[str, Any], network: Network | None, *, guarded: bool
) -> None:
    """A strange name is refused on loopback without a token, and wherever a list is given."""
    judged = host_names(HostOptions(**options), network).judge(b"evil.example")
    assert judged is (Judgement.STRANGE if guarded else Judgement.KNOWN)


@pytest.mark.parametrize(
    ("name", "known"),
    [(b"a.example.com", True), (b"a.b.EXAMPLE.com:80", True), (b"example.com", False), (b"badexample.com", False)],
)
def test_a_star_stands_for_what_is_below(name: bytes, *, known: bool) -> None:
    """``*.example.com`` lists every name below example.com, and not that one itself."""
    assert HostNames(("*.example.com",)).judge(name) is (Judgement.KNOWN if known else Judgement.STRANGE)


def test_names_of_callers_do_not_fill_the_memory() -> None:
    """However many names callers invent, few are remembered."""
    names = HostNames()
    for number in range(2000):
        assert names.judge(b"%d.example" % number) is Judgement.KNOWN
    assert names.judge(b"x" * 4000) is Judgement.KNOWN
    assert len(names.known) <= 256
    assert max(map(len, names.known)) <= 255


@pytest.mark.parametrize(
    ("rules", "statuses"),
    [
        ("denied: [{name: conversation, version: v1alpha1}]", {"alpha1": 404, "alpha2": 200}),
        ("denied: [{name: conversation, version: v1.0-alpha2, protocol: http}]", {"alpha1": 202, "alpha2": 404}),
        ("allowed: [{name: conversation, version: v1alpha2}]", {"alpha1": 404, "alpha2": 200}),
        ("allowed: [{name: state, version: v1}]", {"alpha1": 404, "alpha2": 404}),
        ("denied: [{name: conversation, version: v1alpha1, protocol: grpc}]", {"alpha1": 202, "alpha2": 200}),
    ],
)
def test_a_denied_api_is_not_there(tmp_path: Path, rules: str, statuses: dict[str, int]) -> None:
    """What a Configuration denies is daprd's 404, and the health routes answer whatever is denied."""
    file = tmp_path / "configuration.yml"
    head = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: config}\n"
    file.write_text(f"{head}spec:\n  api:\n    {rules}\n")
    folder = tmp_path / "manifests"
    folder.mkdir()
    with served(folder, "hypercorn", configuration=read_configuration([file], environment={})) as host:
        for api, status in statuses.items():
            reply = host.converse("echo", api=api)
            assert reply.status == status
            assert status != 404 or reply.json["errorCode"] == "ERR_DIRECT_INVOKE"
        assert host.request("GET", "/v1.0/healthz").status == 204
        assert host.request("GET", "/v1.0/healthz/outbound").status == 204


@pytest.mark.parametrize(
    ("rules", "statuses"),
    [
        ("denied: [{name: metadata, version: v1.0, protocol: http}]", (404, 404, 204)),
        ("denied: [{name: 'metadata/{key}', version: v1}]", (200, 404, 204)),
        ("denied: [{name: shutdown, version: v1, protocol: http}]", (200, 204, 404)),
        ("denied: [{name: metadata, version: v1, protocol: grpc}]", (200, 204, 204)),
        ("allowed: [{name: conversation, version: v1alpha2}]", (404, 404, 404)),
        ("allowed: [{name: metadata, version: v1}, {name: conversation, version: v1alpha2}]", (200, 204, 404)),
    ],
)
def test_metadata_and_shutdown_can_be_denied_too(tmp_path: Path, rules: str, statuses: tuple[int, int, int]) -> None:
    """A Configuration denies reading and writing metadata and the shutdown as any other API, and never health."""
    file = tmp_path / "configuration.yml"
    head = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: config}\n"
    file.write_text(f"{head}spec:\n  api:\n    {rules}\n")
    folder = tmp_path / "manifests"
    folder.mkdir()
    with served(folder, "hypercorn", configuration=read_configuration([file], environment={})) as host:
        requests = [("GET", "/v1.0/healthz"), ("GET", "/v1.0/metadata"), ("PUT", "/v1.0/metadata/a")]
        found = [host.request(*request) for request in [*requests, ("POST", "/v1.0/shutdown")]]
    assert tuple(reply.status for reply in found) == (204, *statuses)
    assert all(reply.json["errorCode"] == "ERR_DIRECT_INVOKE" for reply in found if reply.status == 404)
