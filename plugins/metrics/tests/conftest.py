"""A host as a process of its own, and scrapes of it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

pytest_plugins = ["jackfield.testing"]

PATIENCE = 30.0
T = TypeVar("T")


@dataclass
class Numbers:
    """What a scrape has given, as Prometheus' own client reads it."""

    text: str

    def __post_init__(self) -> None:
        families = text_string_to_metric_families(self.text)
        self.samples = [sample for family in families for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of a name that have these labels."""
        return sum(sample.value for sample in self._named(name) if labels.items() <= sample.labels.items())

    def labels(self, name: str) -> set[frozenset[str]]:
        """The names of the labels that the samples of a name have."""
        return {frozenset(sample.labels) for sample in self._named(name)}

    def _named(self, name: str) -> list[Sample]:
        # Prometheus' client appends _total to the name of a counter that doesn't end so, as Dapr's don't.
        return [sample for sample in self.samples if sample.name in {name, f"{name}_total"}]


@dataclass
class Served:
    """A running `jackfield serve`, and what it has logged."""

    popen: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()

    def wait_for(self, pattern: str, number: int = 1) -> re.Match[str]:
        """Wait for the log to have a line for the nth time."""

        def found() -> list[re.Match[str]]:
            return [match for line in list(self.lines) if (match := re.search(pattern, line))]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= number, PATIENCE), f"no {pattern!r} in {self.lines}"
        return found()[number - 1]

    def until(self, ask: Callable[[], T]) -> T:
        """Ask again and again until the answer is one; what is asked over HTTP has no signal to wait for."""
        began = time.monotonic()
        while True:
            with suppress(ConnectionError, http.client.HTTPException):
                if answer := ask():
                    return answer
            assert time.monotonic() - began < PATIENCE, f"it did not come about: {self.lines}"
            time.sleep(0.02)

    def scraped(self, ask: Callable[[Numbers], object]) -> Numbers:
        """Scrape until the numbers are as they should be, and return them."""
        return self.until(lambda: numbers if ask(numbers := self.scrape()) else None)  # type: ignore[return-value]

    @property
    def port(self) -> int:
        """The port of the API."""
        return int(self.wait_for(r"msg=serving .*?url=\S+:(\d+)")[1])

    @property
    def metrics_port(self) -> int:
        """The port of the metrics, as the worker says that opened it last."""
        found = [match for line in list(self.lines) if (match := re.search(r'msg="serving metrics".*?:(\d+)\s', line))]
        return int(found[-1][1] if found else self.wait_for(r'msg="serving metrics".*?url=\S+:(\d+)')[1])

    def ask(self, method: str, path: str, body: Any = None, *, port: int = 0) -> tuple[int, dict[str, str], str]:
        """Send a request on a connection of its own, which any worker may take."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read().decode()
        finally:
            connection.close()

    def converse(self, name: str, text: str = "hello", **settings: Any) -> int:
        """Say something to a component."""
        message = {"ofUser": {"content": [{"text": text}]}}
        body = {"inputs": [{"messages": [message], "scrubPII": settings.pop("scrub", False)}], **settings}
        return self.ask("POST", f"/v1.0-alpha2/conversation/{name}/converse", body)[0]

    def scrape(self) -> Numbers:
        """Ask for the metrics, as Prometheus does."""
        status, headers, text = self.ask("GET", "/metrics", port=self.metrics_port)
        assert status == 200
        assert headers["content-type"].startswith("text/plain; version=0.0.4")
        return Numbers(text)

    def pids(self) -> list[int]:
        """The workers' processes."""
        document = json.loads(self.ask("GET", "/v1.0/metadata")[2])
        return [worker["pid"] for worker in document["jackfield"]["workers"] if "pid" in worker]


def _install_stub(folder: Path) -> Path:
    """Make the stub an installed plugin, as an installer leaves it."""
    site = folder.parent / "site"
    info = site / "jackfield_stub-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (site / "jackfield_stub.py").write_text(Path(__file__).with_name("stub_source.py").read_text())
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: jackfield-stub\nVersion: 1.0\nRequires-Dist: jackfield\n"
    )
    (info / "entry_points.txt").write_text("[jackfield]\nstub = jackfield_stub\n")
    return site


@contextmanager
def _served(folder: Path, *options: str, metrics: str = "0", **variables: str) -> Iterator[Served]:
    """Serve a folder on free ports; killed at the end if it still runs."""
    ports = ["--port", "0", "--metrics-port", metrics]
    command = [sys.executable, "-m", "jackfield", "serve", "--manifests", str(folder), *ports, *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_install_stub(folder)), kept.get("PYTHONPATH", "")]))
    environment = {**kept, "JACKFIELD_PLUGINS": "metrics,stub", **variables}
    popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    process = Served(popen)
    try:
        process.until(lambda: process.ask("GET", "/v1.0/healthz")[0] == 204)
        yield process
    finally:
        if popen.poll() is None:
            popen.send_signal(signal.SIGTERM)
        try:
            popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            popen.kill()
            raise
        process.reader.join(PATIENCE)
        assert popen.stderr is not None
        popen.stderr.close()


@pytest.fixture(name="serve")
def _serve() -> Callable[..., AbstractContextManager[Served]]:
    """Serves a folder in a process of its own."""
    return _served


@pytest.fixture(name="manifests")
def _manifests(tmp_path: Path) -> Path:
    """A folder with two components, ``llm`` that retries and ``weak`` with a circuit breaker."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    for file in (Path(__file__).parent / "manifests").iterdir():
        (folder / file.name).write_text(file.read_text())
    return folder
