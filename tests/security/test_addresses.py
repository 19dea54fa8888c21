"""Whom a host calls, and who may call it: providers' addresses are the manifests', and listeners are loopback's."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from process import serving
from raw_http import converse_path
from running import RunningHost, component

from jackfield.testing import Exchange, chat
from upstream import Upstream, running_upstream

KEY = "sk-canary-0123456789"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Upstream]:
    """A server that nobody has named in a manifest."""
    with running_upstream() as server:
        yield server


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[RunningHost]:
    """A host in front of the provider; one of its components lets requests name the model."""
    folder = tmp_path_factory.mktemp("manifests")
    items = {"key": KEY, "endpoint": upstream.endpoint}
    free = component("free", "conversation.openai", requestOverrides="model,temperature", **items)
    versioned = {"apiType": "azure", "apiVersion": "1", "requestOverrides": "model"}
    azure = component("azure", "conversation.openai", **versioned, **items)
    (folder / "llm.yaml").write_text("---\n".join([component("llm", "conversation.openai", **items), free, azure]))
    with RunningHost(folder) as running:
        yield running


def members(address: str) -> dict[str, Any]:
    """Return all members with which a request could try to name an address."""
    names = ("endpoint", "base_url", "baseUrl", "base-url", "api_base", "url", "host", "proxy", "headers")
    return dict.fromkeys(names, address)


def requests(address: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return requests of every API that try to have another server called: path and body."""
    said = [{"ofUser": {"content": [{"text": f"see {address}"}]}}]
    alpha2 = {"inputs": [{"messages": said}]}
    wrapped = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": address}
    image = {"type": "image_url", "image_url": {"url": f"{address}/image.png"}}
    chat_body = {"model": "llm", "messages": [{"role": "user", "content": address}]}
    return {
        "alpha1 members": (converse_path("llm", "alpha1"), {"inputs": [{"content": address}], **members(address)}),
        "alpha1 metadata": (
            converse_path("llm", "alpha1"),
            {"inputs": [{"content": "x"}], "metadata": members(address)},
        ),
        "alpha2 members": (converse_path("llm"), alpha2 | members(address)),
        "alpha2 metadata": (converse_path("llm"), alpha2 | {"metadata": members(address)}),
        "alpha2 parameters": (converse_path("llm"), alpha2 | {"parameters": members(address)}),
        "alpha2 wrapped": (converse_path("llm"), alpha2 | {"parameters": {"endpoint": wrapped}}),
        "a model": (converse_path("free"), alpha2 | {"parameters": {"model": f"{address}/x"}}),
        "a model in a path": (converse_path("azure"), alpha2 | {"parameters": {"model": f"../../../../{address}"}}),
        "a name": (converse_path(address.replace("/", "%2F")), alpha2),
        "OpenAI's members": ("/v1/chat/completions", chat_body | members(address)),
        "OpenAI's extra body": ("/v1/chat/completions", chat_body | {"extra_body": members(address)}),
        "OpenAI's model": ("/v1/chat/completions", chat_body | {"model": f"free/{address}"}),
        "OpenAI's name": ("/v1/chat/completions", chat_body | {"model": address}),
        "an image": ("/v1/chat/completions", chat_body | {"messages": [{"role": "user", "content": [image]}]}),
        "a file": (
            "/v1/chat/completions",
            chat_body | {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": address}}]}]},
        ),
    }


@pytest.mark.parametrize("kind", requests("http://x"))
def test_no_request_names_an_address(asking: RunningHost, upstream: Upstream, elsewhere: Upstream, kind: str) -> None:
    """Nothing in a request has another server called, or something fetched, wherever in the request it stands."""
    upstream.behave(chat)
    elsewhere.behave(chat)
    path, body = requests(elsewhere.endpoint)[kind]
    for headers in ({}, {"x-forwarded-host": "evil.example", "x-upstream": elsewhere.endpoint}):
        reply = asking.request("POST", path, body, **headers)
        assert reply.status in {200, 202, 400, 404, 500}
    assert not elsewhere.requests
    for exchange in upstream.requests:
        assert exchange.target.startswith("/v1/")
        assert not {".", ".."} & set(exchange.target.split("/"))
        assert exchange.headers["host"] == upstream.endpoint.split("/")[2]
        assert "x-upstream" not in exchange.headers


@pytest.mark.parametrize(
    "model", [".", "..", "../..", "a/../..", "..\\..", "%2e%2e", "x?y#z", "@evil.example", "\r\nx: y"]
)
def test_no_model_leads_out_of_its_path(asking: RunningHost, upstream: Upstream, model: str) -> None:
    """A model that an address names stays one segment of it, or is refused: no step, no query, no other host."""
    upstream.behave(chat)
    said = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "x"}]}}]}], "parameters": {"model": model}}
    openai = {"model": f"azure/{model}", "messages": [{"role": "user", "content": "x"}]}
    for path, body in ((converse_path("azure"), said), ("/v1/chat/completions", openai)):
        reply = asking.request("POST", path, body)
        assert reply.status in {200, 400}
    for exchange in upstream.requests:
        assert re.fullmatch(r"/v1/openai/deployments/[^/?]+/chat/completions\?api-version=1", exchange.target)
        assert exchange.target.split("/")[4] not in {".", ".."}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["{other}/v1/chat/completions", "//{bare}/x", "/v1/elsewhere", "file:///etc/passwd"])
def test_a_redirect_is_not_followed(
    asking: RunningHost, upstream: Upstream, elsewhere: Upstream, where: str, status: int
) -> None:
    """A provider that points elsewhere is an error: neither key nor text goes to a server that no manifest names."""
    other = elsewhere.endpoint.removesuffix("/v1")
    place = where.format(other=other, bare=other.removeprefix("http://"))

    async def redirect(exchange: Exchange) -> None:
        await exchange.send(status, b"", {"Location": place})

    upstream.behave(redirect)
    elsewhere.behave(chat)
    reply = asking.converse("llm")
    assert (reply.status, len(upstream.requests)) == (500, 1)
    assert KEY not in reply.json["message"]
    assert not elsewhere.requests


def test_nothing_of_a_caller_s_connection_is_sent_on(asking: RunningHost, upstream: Upstream) -> None:
    """Cookies and headers of a caller are not sent on, and what a provider sets is not kept for the next request."""

    async def setting(exchange: Exchange) -> None:
        await exchange.send(500, b"{}", {"Set-Cookie": "session=canary", "Alt-Svc": 'h2="evil.example:443"'})

    upstream.behave(setting)
    asking.converse("llm", cookie="mine=canary", proxy_authorization="Basic canary", authorization="Bearer canary")
    upstream.behave(chat)
    assert asking.converse("llm", cookie="mine=canary").status == 200
    (exchange,) = upstream.requests
    assert "canary" not in repr(exchange.headers).replace(KEY, "")


def listening(pid: int) -> set[tuple[str, int]]:
    """Return the addresses and ports on which a process listens, as the kernel has it."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found: set[tuple[str, int]] = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and rest[5] in inodes:
                address, _, port = local.partition(":")
                words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
                found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


@pytest.mark.parametrize("more", [(), ("--server", "uvicorn"), ("--workers", "2")])
def test_every_listener_is_loopback_s(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Without a word from the operator, HTTP, gRPC, metrics and all that plugins bring listen on 127.0.0.1 alone."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with serving(tmp_path, *more) as process:
        process.wait_for("serving gRPC")
        children = Path(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children").read_text().split()
        found = {each for pid in (process.popen.pid, *map(int, children)) for each in listening(pid)}
    assert process.port in {port for _, port in found}
    assert len(found) >= 2
    # gRPC's library binds IPv4's addresses as IPv6 has them.
    assert {address.removeprefix("::ffff:") for address, _ in found} == {"127.0.0.1"}


def test_a_socket_s_file_is_the_umask_s(tmp_path: Path) -> None:
    """A Unix socket gets no more rights than the operator's umask leaves, and goes with the host."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    path = tmp_path / "s.sock"
    before = os.umask(0o077)
    try:
        with serving(tmp_path, "--unix-socket", str(path)) as process:
            mode = stat.S_IMODE(path.stat().st_mode)
            process.signal(15)
            process.exit_code()
    finally:
        os.umask(before)
    assert mode & 0o077 == 0
    assert not path.exists()


def test_a_linked_manifest_is_a_manifest(tmp_path: Path) -> None:
    """A link in the folder is followed, as Kubernetes mounts need it; what it leads to is told by its name alone."""
    secret = tmp_path / "passwd"
    secret.write_text("root:x:0:0:canary\n")
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "linked.yaml").symlink_to(secret)
    (folder / "echo.yaml").write_text(component("echo"))
    with RunningHost(folder) as host:
        assert host.converse("echo").status == 200
        told = json.dumps(host.request("GET", "/v1.0/metadata").json)
    assert "linked.yaml" in told
    assert "canary" not in told
