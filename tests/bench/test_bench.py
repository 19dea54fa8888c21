"""The benchmark: its parts run as a person runs them, and a row with one wrong reply has no figures."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from growth import STAGE, Point, measured, series
from growth import table as table_of_growth
from instant_upstream import REPLY, TEXT
from load import Load
from measuring import Sample, VoidError, in_turns, sample
from part import Options
from peers import Row, table
from processes import Measured, script
from quoted import DOCS, blocks
from requested import alpha2, long

RUN = Path(__file__).parent / "run.py"
FEW = ("--requests", "60", "--rounds", "1", "--servers", "uvicorn", "--connections", "4")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a command."""
    return subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, check=False)


def rows(text: str) -> dict[str, list[float]]:
    """Find the rows of a table that have figures, by their names."""
    found = (re.fullmatch(r"(\S.*?|\d+) +((?:-?[\d.,]+ *){4,})", line) for line in text.splitlines())
    return {match[1]: [float(cell.replace(",", "")) for cell in match[2].split()] for match in found if match}


@pytest.mark.timeout(180)
def test_the_host_is_measured_beside_the_bare_server() -> None:
    """The host's part prints its command and a row for each way to be asked; each costs more than the bare server."""
    done = bench("--only", "host", *FEW)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("$ nox -s bench -- --only host --requests=60 --connections=4 --rounds=1 ")
    found = rows(done.stdout)
    assert set(found) == {"bare server", "echo alpha2", "cached alpha2", "proxied alpha2", "echo, all plugins"}
    assert all(cells[0] > found["bare server"][0] > 0 for name, cells in found.items() if name != "bare server")


@pytest.mark.timeout(180)
def test_a_call_over_grpc_is_measured() -> None:
    """The part of gRPC starts its own bare server and prints what a call takes of both."""
    done = bench("--only", "grpc", *FEW)
    assert done.returncode == 0, done.stderr
    found = re.search(r"takes (\d+) us of CPU a call, the bare server (\d+), so (-?\d+) above it", done.stdout)
    assert found, done.stdout
    assert int(found[2]) > 0


@pytest.mark.timeout(180)
def test_a_gateway_that_is_not_here_leaves_the_others_their_rows() -> None:
    """Without a folder for other gateways the host's rows are measured, and the table says why theirs are missing."""
    done = bench("--only", "peers", "--peers", "rolter", *FEW)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^rolter \S+ +not here: no folder to install it in was given$", done.stdout, re.MULTILINE)
    found = rows(done.stdout)
    assert set(found) == {
        *("upstream alone", "bare server, uvicorn", "jackfield alpha2, uvicorn", "jackfield OpenAI API, uvicorn")
    }
    assert all(all(cell > 0 for cell in cells[:7]) for cells in found.values())


def test_what_grows_is_measured() -> None:
    """A host with several components, connections and stages and a longer prompt has a row for how much there is."""
    point = Point(2, components=2, connections=3, body=alpha2(long(5000)), plugin=STAGE, plugins=2, requests=60)
    found = measured([point], "hypercorn", rounds=1)
    text = table_of_growth("components", found)
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["components", "2"]
    assert all(float(cell) > 0 for cell in text.splitlines()[-1].split())


def test_growth_begins_at_the_least_and_ends_at_the_most() -> None:
    """Each thing that grows does so alone: over all its sizes, with the others as they are."""
    grown = series(_options())
    assert {name: [point.value for point in points] for name, points in grown.items()} == {
        "components": [1, 10, 100, 1000],
        "connections": [1, 10, 100, 500],
        "KB of prompt": [1, 10, 100, 1000],
        "plugins, idle": [0, 1, 5, 10],
        "plugins, one stage each": [0, 1, 5, 10],
    }
    assert [point.components for point in grown["components"]] == [1, 10, 100, 1000]
    assert [point.connections for point in grown["connections"]] == [1, 10, 100, 500]
    assert [len(point.body) // 1000 for point in grown["KB of prompt"]] == [1, 10, 100, 1000]
    assert [point.plugins for point in grown["plugins, idle"]] == [0, 1, 5, 10]
    others = [point for name, points in grown.items() if name != "connections" for point in points]
    assert {point.connections for point in others} == {2}


def test_a_part_that_does_not_exist_is_refused() -> None:
    """A misspelt part is named beside those that there are, each of which has its block on the page."""
    done = bench("--only", "peer")
    assert done.returncode == 2
    found = re.search(r"peer is none of (.+)", done.stderr)
    assert found, done.stderr
    assert set(found[1].split(", ")) == set(blocks(DOCS / "performance.md")) - {"profile"}


class _Server(BaseHTTPRequestHandler):
    """Answers rightly, but for one request of ten."""

    protocol_version = "HTTP/1.1"
    wrong: tuple[int, bytes] = (200, REPLY)
    count = 0

    def do_POST(self) -> None:
        type(self).count += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.wrong if self.count % 10 == 0 else (200, REPLY)
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        half = len(body) // 2
        for piece in (body[:half], body[half:], b""):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """Serve replies of which some are these; gives the port."""
    handler = type("Handler", (_Server,), {"wrong": (status, body), "count": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, REPLY, "4x status 500"),
        (200, REPLY.replace(b"Paris", b"Rome?"), "4x another text"),
    ],
)
def test_one_wrong_reply_voids_a_row(status: int, body: bytes, said: str) -> None:
    """A reply with another status or another text leaves a row without figures, with what came in its place."""
    with script("instant_upstream.py") as process, answering(status, body) as port:
        load = Load(port, ("/v1/chat/completions",), b"{}", text=TEXT.encode())
        found = in_turns({"gateway": lambda: sample(process, load, requests=40, connections=2)}, rounds=3)["gateway"]
    assert isinstance(found, VoidError)
    assert str(found) == said
    text = table([Row("gateway", process, found=f"void: {found}")], _options())
    assert text.splitlines()[-1].split(maxsplit=1) == ["gateway", f"void: {said}"]


def test_a_gateway_that_has_ended_voids_its_row() -> None:
    """A server that takes no connection any more leaves a row without figures, and the run goes on."""
    with script("instant_upstream.py") as process, answering(200, REPLY) as port:
        pass
    with pytest.raises(VoidError, match="1x a refused connection"):
        sample(process, Load(port, ("/",), b"{}"), requests=20, connections=2)


def test_replies_in_chunks_are_put_together() -> None:
    """A text that two chunks of a reply share is found, and the row has figures."""
    with script("instant_upstream.py") as process, answering(200, REPLY) as port:
        load = Load(port, ("/",), b"{}", text=TEXT.encode())
        assert isinstance(sample(process, load, requests=20, connections=2), Sample)


def test_cpu_and_memory_are_those_of_the_whole_tree() -> None:
    """What a child of the process uses counts as the process's own."""
    burning = "import os, sys\nif os.fork() == 0:\n    while True: pass\nprint(0, flush=True)\nos.wait()\n"
    parent = subprocess.Popen([sys.executable, "-c", burning], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout is not None
    try:
        parent.stdout.readline()
        alone = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert len(alone) == 1
        whole, child = Measured(parent.pid, 0), Measured(int(alone[0]), 0)
        deadline = time.monotonic() + 20
        while child.cpu < 0.2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert whole.cpu > 0.2
        assert whole.memory > child.memory
    finally:
        for pid in alone:
            subprocess.run(["kill", "-9", pid], check=True)
        parent.wait(10)
        parent.stdout.close()


def _options() -> Options:
    return Options(requests=40, connections=2, rounds=3, servers=(), peers=(), peers_folder=None)
