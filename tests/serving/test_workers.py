"""Several serving processes, as operators run them: one host to the outside, whatever happens to its parts."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from plugin_site import Site
from process import Process, serving
from running import Reply, component, send

PATIENCE = 15.0
BODY = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}]}
PROBE = """
import asyncio
import os

from jackfield import Conversation, Result, Settings, hookimpl

if os.path.exists(os.environ["PROBE_FOLDER"] + "/crash"):
    os._exit(7)

class ProbeSettings(Settings):
    answer: str
    seconds: float = 0
    build_seconds: float = 0

class Probe(Conversation[ProbeSettings]):
    Settings = ProbeSettings

    async def start(self):
        await asyncio.sleep(self.settings.build_seconds)
        if self.settings.answer == "bad":
            raise ValueError("this answer can't be built")

    async def converse(self, request):
        await asyncio.sleep(self.settings.seconds)
        return Result.of_text(f"{self.settings.answer} {os.getpid()}")

@hookimpl
def register_components(register):
    register.conversation("conversation.probe", Probe)
"""


@dataclass
class Workers:
    """A folder with one component whose replies tell their version and process, and how it is served."""

    path: Path
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.path / "manifests"
        self.folder.mkdir()
        site = self.path / "site"
        site.mkdir()
        Site(site).install("probe", PROBE)
        self.write("one")

    def write(self, answer: str, **items: str) -> None:
        self.replace(component("llm", "conversation.probe", answer=answer, **items))

    def replace(self, text: str) -> None:
        beside = self.folder / ".new"
        beside.write_text(text)
        beside.replace(self.folder / "llm.yaml")

    @contextmanager
    def serve(self, *args: str, workers: int = 2, ready: bool = True) -> Iterator[Process]:
        variables = {"PYTHONPATH": str(self.path / "site"), "PROBE_FOLDER": str(self.path)}
        with serving(self.folder, "--workers", str(workers), "--plugins", "probe", *args, **variables) as process:
            if ready:
                until(lambda: get(process, "/v1.0/healthz").status == 204)
            yield process


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    return Workers(tmp_path)


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again; what is asked over HTTP has no signal to wait for."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE, "it did not come about"
        time.sleep(0.01)


def get(process: Process, path: str) -> Reply:
    return request(process, "GET", path)


def request(process: Process, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """Send one request on a fresh connection, which any worker may take."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)
    try:
        return send(connection, method, path, body, **headers)
    finally:
        connection.close()


def ask(process: Process) -> tuple[str, int]:
    """Ask the component; returns its version and the id of the process that answered."""
    return said(request(process, "POST", "/v1.0-alpha2/conversation/llm/converse", BODY))


def said(reply: Reply) -> tuple[str, int]:
    assert reply.status == 200, reply.body
    answer, pid = reply.json["outputs"][0]["choices"][0]["message"]["content"].split()
    return answer, int(pid)


def described(process: Process) -> dict[str, Any]:
    document: dict[str, Any] = get(process, "/v1.0/metadata").json["jackfield"]
    return document


def pids(process: Process) -> list[int]:
    return [worker["pid"] for worker in described(process)["workers"] if worker["state"] == "serving"]


def state(process: Process) -> tuple[str, str]:
    """The component's state and its problems."""
    (llm,) = described(process)["components"]
    return llm["state"], "; ".join(llm["problems"])


def from_every_worker(process: Process, answers: Callable[[], tuple[Any, int]]) -> set[Any]:
    """Ask on fresh connections until every worker has answered, all at once so that no worker takes them all."""
    expected = set(pids(process))
    found: dict[int, Any] = {}
    began = time.monotonic()
    while not expected <= found.keys():
        assert time.monotonic() - began < PATIENCE, f"only {sorted(found)} of {sorted(expected)} answered"
        threads = [threading.Thread(target=lambda: found.update([tuple(reversed(answers()))])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return set(found.values())


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    # A process that nobody waits for, as after the parent's death in some containers, has ended all the same.
    with suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def replaced(process: Process, pid: int) -> None:
    """Kill a worker and wait until its replacement serves."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in (now := pids(process)) and len(now) == 2)


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_all_workers_answer(workers: Workers, server: str) -> None:
    """Both processes serve the port, and each describes the whole host."""
    with workers.serve("--server", server) as process:
        serving_now = set(pids(process))
        assert len(serving_now) == 2
        assert process.popen.pid not in serving_now
        assert from_every_worker(process, lambda: ask(process)) == {"one"}
        until(lambda: state(process)[0] == "ready")


def test_a_worker_that_dies_is_replaced_and_others_serve_on(workers: Workers) -> None:
    """Under load, a worker's death costs no request on another's connections, nor on fresh ones after it."""
    with workers.serve() as process:
        victim, other = pids(process)
        kept = connection_to(process, other)
        stop = threading.Event()
        answers: list[tuple[str, int]] = []
        failures: list[object] = []

        def load() -> None:
            try:
                while not stop.is_set():
                    reply = send(kept, "POST", "/v1.0-alpha2/conversation/llm/converse", BODY)
                    answers.append(said(reply))
            except (OSError, http.client.HTTPException, AssertionError) as error:
                failures.append(error)

        thread = threading.Thread(target=load)
        thread.start()
        replaced(process, victim)
        stop.set()
        thread.join()
        kept.close()
        assert not failures
        assert {pid for _, pid in answers} == {other}
        process.wait_for(rf"worker died.* pid={victim} how=SIGKILL")
        process.wait_for(r"worker replaced")
        assert from_every_worker(process, lambda: ask(process)) == {"one"}


def connection_to(process: Process, pid: int) -> http.client.HTTPConnection:
    """Open a kept-alive connection that a given worker has taken."""
    others = []
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)
            if said(send(connection, "POST", "/v1.0-alpha2/conversation/llm/converse", BODY))[1] == pid:
                return connection
            others.append(connection)
    finally:
        for other in others:
            other.close()


def test_an_edit_reaches_all_workers(workers: Workers) -> None:
    """Once the metadata document shows a later generation and ``ready``, every worker serves the edit."""
    with workers.serve() as process:
        before = described(process)["generation"]
        workers.write("two")
        until(lambda: described(process)["generation"] > before and state(process)[0] == "ready")
        assert from_every_worker(process, lambda: ask(process)) == {"two"}


BROKEN = {
    "unreadable": ("kind: Component\n  name: [", "llm.yaml:2"),
    "unbuildable": (component("llm", "conversation.probe", answer="bad"), "could not start"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_edit_outlives_every_worker(workers: Workers, case: str) -> None:
    """When all workers have died after a broken edit, the last good version serves everywhere, marked stale."""
    text, cause = BROKEN[case]
    workers.write("one", buildSeconds="0.3")
    with workers.serve() as process:
        generation = described(process)["generation"]
        workers.replace(text)
        until(lambda: state(process)[0] == "stale")
        for pid in pids(process):
            replaced(process, pid)
        assert from_every_worker(process, lambda: ask(process)) == {"one"}
        until(lambda: state(process)[0] == "stale")
        assert cause in state(process)[1]
        assert described(process)["generation"] >= generation
        assert get(process, "/v1.0/healthz").status == 204
        workers.write("three")
        until(lambda: state(process)[0] == "ready")
        assert from_every_worker(process, lambda: ask(process)) == {"three"}


RESILIENCY = """\
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: calm}
spec:
  policies: {timeouts: {DefaultTimeoutPolicy: 50ms}}
"""


def test_a_broken_resiliency_manifest_outlives_every_worker(workers: Workers) -> None:
    """Replacements that find a bad version bound their calls as the last good one says, and all show it as stale."""
    workers.write("one", seconds="30")
    calm = workers.folder / "calm.yaml"
    calm.write_text(RESILIENCY)

    def resiliency() -> list[str]:
        return [entry["state"] for entry in described(process)["resiliency"]]

    with workers.serve() as process:
        until(lambda: resiliency() == ["ready"])
        beside = workers.folder / ".calm"
        beside.write_text(RESILIENCY.replace("50ms", "soon"))
        beside.replace(calm)
        until(lambda: resiliency() == ["stale"])
        for pid in pids(process):
            replaced(process, pid)
        asked: set[int] = set()

        def ask_another() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)
            document = send(connection, "GET", "/v1.0/metadata").json["jackfield"]
            reply = send(connection, "POST", "/v1.0-alpha2/conversation/llm/converse", BODY)
            connection.close()
            assert [entry["state"] for entry in document["resiliency"]] == ["stale"]
            assert "no reply within 50ms, the timeout DefaultTimeoutPolicy" in reply.json["message"]
            asked.add(document["worker"])
            return len(asked) == 2

        until(ask_another)


def test_metadata_set_through_one_worker_shows_through_all(workers: Workers) -> None:
    """A value is visible through every worker when its PUT is answered, and through replacements."""

    def shown() -> tuple[str, int]:
        document = get(process, "/v1.0/metadata").json
        numbers = {worker["worker"]: worker["pid"] for worker in document["jackfield"]["workers"]}
        return document["extended"].get("note", ""), numbers[document["jackfield"]["worker"]]

    with workers.serve() as process:
        for value in ("a", "b", "c"):
            assert request(process, "PUT", "/v1.0/metadata/note", value).status == 204
            assert from_every_worker(process, shown) == {value}
        replaced(process, pids(process)[0])
        assert from_every_worker(process, shown) == {"c"}


def test_metadata_says_so_when_a_worker_hangs(workers: Workers) -> None:
    """A PUT that can't reach a worker is not answered as if it had; the value arrives once the worker goes on."""
    with workers.serve() as process:
        stuck, other = pids(process)
        connection = connection_to(process, other)
        os.kill(stuck, signal.SIGSTOP)
        try:
            reply = send(connection, "PUT", "/v1.0/metadata/note", "late")
            assert (reply.status, reply.json["errorCode"]) == (500, "ERR_METADATA_NOT_SHARED")
        finally:
            os.kill(stuck, signal.SIGCONT)
        until(lambda: get(process, "/v1.0/metadata").json["extended"].get("note") == "late")
        assert send(connection, "PUT", "/v1.0/metadata/note", "on time").status == 204
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_the_start_is_a_stop(workers: Workers, number: int) -> None:
    """A host that is stopped before its workers are up ends at once, with 0 and without a traceback."""
    with workers.serve(ready=False) as process:
        process.wait_for("worker started.* worker=2")
        process.signal(number)
        assert process.exit_code() == 0
        assert "Traceback" not in process.log
        assert "worker died" not in process.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_all_processes_after_running_replies(workers: Workers, number: int) -> None:
    """A stop signal lets a running reply finish, ends every worker and exits with 0."""
    workers.write("slow", seconds="0.5")
    with workers.serve() as process:
        running = pids(process)
        answers: list[tuple[str, int]] = []
        asking = threading.Thread(target=lambda: answers.append(ask(process)))
        asking.start()
        time.sleep(0.2)  # the request has to be under way, which nothing tells before its reply
        process.signal(number)
        asking.join()
        assert [answer for answer, _ in answers] == ["slow"]
        assert process.exit_code() == 0
        assert all(gone(pid) for pid in running)


def test_a_signal_to_the_whole_group_is_the_parents_to_act_upon(workers: Workers) -> None:
    """Ctrl-C and a hang-up reach the workers too, and neither ends one by itself."""
    with workers.serve() as process:
        running = pids(process)
        for pid in running:
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGHUP)
        assert from_every_worker(process, lambda: ask(process)) == {"one"}
        assert pids(process) == running
        process.signal(signal.SIGHUP)
        assert from_every_worker(process, lambda: ask(process)) == {"one"}
        assert process.popen.poll() is None


def test_workers_end_with_a_parent_that_is_killed(workers: Workers) -> None:
    """No worker outlives its parent."""
    with workers.serve() as process:
        running = pids(process)
        process.signal(signal.SIGKILL)
        process.exit_code()
        until(lambda: all(gone(pid) for pid in running))
        assert "the parent process is gone" in process.log


@pytest.mark.parametrize(("headers", "code"), [({}, 0), ({"dapr_force_shutdown": "true"}, 1)])
def test_a_shutdown_request_stops_all(workers: Workers, headers: dict[str, str], code: int) -> None:
    """``POST /v1.0/shutdown`` at any worker ends all of them, with daprd's exit code."""
    with workers.serve() as process:
        running = pids(process)
        assert request(process, "POST", "/v1.0/shutdown", **headers).status == 204
        assert process.exit_code() == code
        assert all(gone(pid) for pid in running)


def test_a_worker_that_hangs_is_killed_at_the_end(workers: Workers) -> None:
    """A worker that does not stop within budget and margin is killed, and the exit code says so."""
    with workers.serve("--graceful-shutdown-seconds", "0") as process:
        stuck = pids(process)[0]
        os.kill(stuck, signal.SIGSTOP)
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 1
        assert gone(stuck)
        assert "were killed" in process.log


def test_a_second_signal_ends_all_processes_at_once(workers: Workers) -> None:
    """Whoever asks twice doesn't wait for the budget of a worker that hangs."""
    with workers.serve("--graceful-shutdown-seconds", "600") as process:
        stuck = pids(process)[0]
        os.kill(stuck, signal.SIGSTOP)
        process.signal(signal.SIGTERM)
        process.wait_for("msg=stopping")
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 1
        assert gone(stuck)


def test_a_crash_loop_is_slowed_down_and_others_serve(workers: Workers) -> None:
    """A worker that can't come up is tried again less and less often, while the others serve; then it joins them."""
    with workers.serve() as process:
        victim, other = pids(process)
        (workers.path / "crash").touch()
        os.kill(victim, signal.SIGKILL)
        for seconds in ("0.100", "0.200", "0.400"):
            process.wait_for(rf"will be replaced.* seconds={re.escape(seconds)}")
            assert ask(process) == ("one", other)
        process.wait_for(r"worker died.*exit code 7")
        assert [worker["state"] for worker in described(process)["workers"]][1] == "serving"
        assert get(process, "/v1.0/healthz").status == 204
        (workers.path / "crash").unlink()
        until(lambda: len(pids(process)) == 2)


def test_a_taken_port_ends_the_parent_before_it_starts_anything(workers: Workers) -> None:
    """The exit names the port and the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "jackfield", "serve", "--workers", "2", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert f"port {port} " in ended.stderr
    assert "--port" in ended.stderr
    assert "worker" not in ended.stderr


def test_what_keeps_every_worker_from_starting_ends_the_host(workers: Workers) -> None:
    """What only a worker finds out, such as a server that can't be imported, ends the parent with its own words."""
    (workers.path / "site" / "uvicorn.py").write_text("raise ImportError")
    with workers.serve("--server", "uvicorn", ready=False) as process:
        assert process.exit_code() == 1
        assert "pip install 'jackfield[uvicorn]'" in process.lines[-1]
        assert "Traceback" not in process.log


@pytest.mark.parametrize("count", [1, 2])
def test_a_bad_certificate_is_named_before_anything_starts(workers: Workers, count: int) -> None:
    """The exit names the file and the option, with one process or several."""
    file = workers.path / "none.pem"
    file.write_text("this is no certificate")
    command = [sys.executable, "-m", "jackfield", "serve", "--port", "0", "--tls-cert", str(file)]
    command += ["--workers", str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"jackfield: {file} can't be used (")
    assert "--tls-cert" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_strict_ends_the_host_at_its_start_but_not_later(workers: Workers) -> None:
    """``--strict`` judges the first start alone: a replacement that finds a broken edit serves what was good."""
    with workers.serve("--strict") as process:
        workers.replace("kind: [")
        until(lambda: state(process)[0] == "stale")
        replaced(process, pids(process)[0])
        assert from_every_worker(process, lambda: ask(process)) == {"one"}
    with workers.serve("--strict", ready=False) as process:
        assert process.exit_code() == 1


def test_readiness_waits_for_all_workers(workers: Workers) -> None:
    """``healthz`` names what is missing until every worker has been ready."""
    workers.write("bad")
    with workers.serve(ready=False) as process:
        until(lambda: "llm" in get(process, "/v1.0/healthz").json["message"])
        workers.write("good")
        until(lambda: get(process, "/v1.0/healthz").status == 204)
        assert from_every_worker(process, lambda: ask(process)) == {"good"}


def test_workers_share_a_unix_socket_with_tls(workers: Workers, tmp_path: Path) -> None:
    """Certificates and Unix sockets work with several workers as with one."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "chain.pem"))
    path = tmp_path / "s"
    tls = ("--tls-cert", str(tmp_path / "chain.pem"), "--tls-key", str(tmp_path / "chain.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with workers.serve("--unix-socket", str(path), *tls, ready=False) as process:
        found = set()

        def answered() -> bool:
            with socket.socket(socket.AF_UNIX) as plain:
                plain.connect(str(path))
                with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
                    connection = http.client.HTTPConnection("localhost")
                    connection.sock = wrapped
                    reply = send(connection, "POST", "/v1.0-alpha2/conversation/llm/converse", BODY)
            found.add(said(reply))
            return len(found) == 2

        until(answered)
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
