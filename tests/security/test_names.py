"""Names that would split a header, a log line or a path: they are escaped or refused, and never read as others."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from raw_http import converse_path, message, said
from running import RunningHost
from wire_replies import answers

from jackfield.serving.network import Network
from upstream import Upstream

NAMES = [
    *("a\r\nx-evil: 1", "a\nx-evil: 1", "a\r\n\r\nHTTP 200 OK", "a\x00b", "a\tb", "a\x1b[31mb", "a\x9b31m", "a\x7f"),
    *("a\u2028b", "a\x85b", "\u00e9", "\u65e5\u672c", "a;b", "a,b", 'a"b', "a\\b", " a ", "n" * 4000),
]
PATHS = [
    *("../echo", "..", ".", "./echo", "%2e%2e%2fecho", "..%2fecho", "..%5cecho", "%2e", "echo%2f..%2fecho"),
    *(
        "%252e%252e%252fecho",
        "echo%00",
        "%00echo",
        "echo%00.yaml",
        "echo%0a",
        "echo%20",
        "+echo",
        "echo;x=1",
        "echo%3f",
    ),
    *("echo%23", "ECHO", "%ef%bd%85cho", "ech%d0%be", "e%cc%81cho", "%c0%afecho", "%c0%ae%c0%ae", "%ed%a0%80"),
    *("%ff", "", "%", "%u0065cho", "file:%2f%2f%2fetc%2fpasswd", "%2fetc%2fpasswd", "x" * 7000),
]


def manifest(name: str, endpoint: str) -> str:
    """Write a component whose name and model are anything at all."""
    items = {"key": "k" * 20, "model": name, "endpoint": endpoint, "responseCacheTTL": "10m"}
    metadata = [{"name": key, "value": value} for key, value in items.items()]
    spec = {"type": "conversation.openai", "version": "v1", "metadata": metadata}
    component = {"apiVersion": "dapr.io/v1alpha1", "kind": "Component", "metadata": {"name": name}, "spec": spec}
    return json.dumps(component)


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"])
def named(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[RunningHost]:
    """A host with components of strange names."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "named.yaml").write_text("\n---\n".join(manifest(name, upstream.endpoint) for name in NAMES))
    with RunningHost(folder, Network(port=0, server=request.param)) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", [False, True])
def test_no_name_splits_a_reply(named: RunningHost, name: str, *, stream: bool) -> None:
    """A component's or a model's name is escaped in headers: one reply, no header of its making, a hit as well."""
    lines = ["Connection: close", "x-jackfield-debug: 1", *(["Accept: text/event-stream"] if stream else [])]
    for _ in range(2):
        with named.connect() as connection:
            request = message("POST", converse_path(quote(name, safe="")), said("hi"), *lines)
            answered = answers(connection, request)
        assert answered.statuses == [200]
        head = answered.received.partition(b"\r\n\r\n")[0].split(b"\r\n")
        assert all(line.isascii() and b"\n" not in line and b"\r" not in line for line in head)
        assert not [line for line in head if line.startswith(b"x-evil")]
        assert len([line for line in head if line.startswith(b"x-jackfield-component: ")]) == 1


@pytest.mark.parametrize("name", ["x\r\nx-evil: 1", "\r\n", "x\x00", "\u00e9", "n" * 200])
def test_no_metadata_splits_a_reply(host: RunningHost, name: str) -> None:
    """Keys of a request's metadata and parameters, which the reply may name as ignored, stay out of other headers."""
    said_so = {
        "inputs": [{"messages": [{"ofUser": {"content": [{"text": "hi"}]}}]}],
        "metadata": {name: name, "key": "k"},
    }
    reply = host.request("POST", converse_path("echo"), said_so | {"parameters": {name: name, "endpoint": "x"}})
    assert reply.status in {200, 400}
    assert "x-evil" not in reply.headers
    assert reply.headers.get("x-jackfield-ignored", "").isascii()


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", NAMES)
def test_no_name_splits_a_log_line(name: str, form: str, written: Callable[..., io.StringIO]) -> None:
    """A name in the log is written on one line, without line ends or terminal codes, wherever in the line it stands."""
    stream = written(form, app_id=name)
    logging.getLogger("jackfield.host").warning("%s is told", name, extra={"component": name})
    line = stream.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert line.startswith(("time=", '{"time"'))


@pytest.mark.parametrize("path", PATHS)
def test_no_path_reaches_another_component(host: RunningHost, path: str) -> None:
    """However a name in a path is written, it is that name: an unknown one, never a file, another one or a fault."""
    for api in ("alpha1", "alpha2"):
        with host.connect() as connection:
            answered = answers(
                connection, message("POST", converse_path(path, api), said("hi", api), "Connection: close")
            )
        assert answered.statuses in ([400], [404])
        assert b"canary" not in answered.bodies[0]
        assert b"root:" not in answered.bodies[0]
