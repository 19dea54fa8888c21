"""Services of plugins: in every worker, or in one at a time; what becomes of them in trouble and at the end."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from plugin_site import Site
from process import Process, serving
from running import component, get_on

PATIENCE = 15.0
PLUGIN = """
import asyncio
import os
from contextlib import asynccontextmanager

from jackfield import ConversationRequest, Message, RequestError, TextPart, hookimpl
from jackfield.frontends import ServiceFailed

PORT = int(os.environ["LINES_PORT"])

@hookimpl
def run_service(host, scope):
    print_line(f"asked once={scope.once} worker={scope.worker} workers={scope.workers} group={scope.group}")
    return lines(host) if scope.once else None

def print_line(text):
    with open(os.environ["LINES_FILE"], "a") as file:
        file.write(f"{os.getpid()} {text}\\n")

@asynccontextmanager
async def lines(host):
    async def answer(reader, writer):
        async for line in reader:
            writer.write(await reply(host, line.decode().strip()))
        writer.close()

    if os.environ.get("LINES_SLOW"):
        while not os.path.exists(os.environ["LINES_SLOW"]):
            await asyncio.sleep(0.01)
    try:
        server = await asyncio.start_server(answer, "127.0.0.1", PORT)
    except OSError as error:
        needed = host.option("dapr-grpc-port") != "0"
        raise ServiceFailed(f"port {PORT} is taken; stop the other program", needed=needed) from None
    print_line("entered")
    try:
        yield
    finally:
        server.close()
        print_line("left")

async def reply(host, line):
    name, _, text = line.partition(" ")
    message = Message(role="user", parts=(TextPart(text),))
    try:
        async with host.lease(name) as component:
            request = ConversationRequest(component=name, messages=(message,))
            result = await component.answer(request)
            return f"{os.getpid()} {result.choices[0].text}\\n".encode()
    except RequestError as error:
        return f"{host.error_code(error).code} {error.message}\\n".encode()
"""
SLOW = """
import asyncio

from jackfield import Conversation, Result, Settings, hookimpl

class Slow(Conversation[Settings]):
    async def converse(self, request):
        await asyncio.sleep(float(request.messages[-1].text))
        return Result.of_text("done")

@hookimpl
def register_components(register):
    register.conversation("conversation.slow", Slow)
"""


class Lines:
    """A host with a plugin whose service answers lines on a port, and a slow component."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path / "manifests"
        self.folder.mkdir()
        (self.folder / "echo.yaml").write_text(component("echo"))
        (self.folder / "slow.yaml").write_text(component("slow", "conversation.slow"))
        (path / "site").mkdir()
        site = Site(path / "site")
        site.install("lines", PLUGIN)
        site.install("slow", SLOW)
        with socket.create_server(("127.0.0.1", 0)) as held:
            self.port: int = held.getsockname()[1]
        self.file = path / "lines.log"

    def serve(self, *args: str, **variables: str) -> Any:
        """Run the host."""
        variables |= {"PYTHONPATH": str(self.path / "site"), "LINES_PORT": str(self.port), "LINES_FILE": str(self.file)}
        return serving(self.folder, "--plugins", "lines,slow,echo", *args, **variables)

    def said(self, text: str) -> list[int]:
        """The processes that have written a text, in order."""
        if not self.file.exists():
            return []
        lines = [line.split(" ", 1) for line in self.file.read_text().splitlines()]
        return [int(pid) for pid, line in lines if line.startswith(text)]

    def say(self, line: str) -> str:
        """Send a line to the service; returns its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(line.encode() + b"\n")
            return connection.makefile().readline().strip()

    def answers(self) -> bool:
        """Whether the service takes connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE):
            return True
        return False


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    return Lines(tmp_path)


def until(condition: Callable[[], object]) -> None:
    """Ask again and again; what another process does has no signal to wait for."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE, "it did not come about"
        time.sleep(0.01)


def test_a_service_runs_beside_a_single_worker(lines: Lines) -> None:
    """Both scopes are asked in the one process; the service answers through a lease, and ends with the host."""
    with lines.serve() as process:
        until(lines.answers)
        assert lines.say("echo hello") == f"{process.popen.pid} hello"
        assert lines.say("nobody hello") == ("ERR_CONVERSATION_NOT_FOUND failed finding conversation component nobody")
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
    written = [line.split(" ", 1)[1] for line in lines.file.read_text().splitlines()]
    assert written == [
        "asked once=False worker=1 workers=1 group=",
        "asked once=True worker=1 workers=1 group=",
        "entered",
        "left",
    ]


def test_one_of_two_workers_runs_the_service_and_the_other_takes_over(lines: Lines) -> None:
    """Both are asked for themselves, one runs what runs once; killed, it is followed by another on the same port."""
    with lines.serve("--workers", "2") as process:
        until(lambda: len(set(lines.said("asked once=False"))) == 2 and lines.said("entered"))
        (first,) = lines.said("asked once=True")
        assert lines.say("echo hello") == f"{first} hello"
        os.kill(first, signal.SIGKILL)
        until(lambda: len(lines.said("entered")) == 2)
        second = lines.said("entered")[1]
        assert second != first
        assert lines.say("echo again") == f"{second} again"
        groups = {line.rpartition("group=")[2] for line in lines.file.read_text().splitlines() if "group=" in line}
        assert len(groups) == 1
        assert groups != {""}
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
    assert lines.said("left") == [second]


@pytest.mark.parametrize("grace", ["5", "0.3"])
def test_what_a_service_runs_counts_as_running(grace: str, lines: Lines) -> None:
    """A stop waits for a reply under a lease within the budget, and cuts it off after it with an error that says so."""
    with lines.serve("--graceful-shutdown-seconds", grace) as process, closing(socket.socket()) as connection:
        until(lines.answers)
        connection.connect(("127.0.0.1", lines.port))
        connection.settimeout(PATIENCE)
        connection.sendall(b"echo first\nslow 1\n")
        answers = connection.makefile()
        assert answers.readline().endswith(" first\n")
        process.signal(signal.SIGTERM)
        last = answers.readline()
        assert process.exit_code() == 0
    if grace == "5":
        assert last.endswith(" done\n")
    else:
        assert last == (
            "ERR_CONVERSATION_INVOKE failed conversing with component slow: "
            "the host is stopping and the reply took too long\n"
        )


def ready(process: Process) -> int:
    return get_on(process.port, "/v1.0/healthz").status


@pytest.mark.parametrize("needed", [True, False])
def test_a_service_that_can_t_start_is_told_and_tried_again(needed: bool, lines: Lines) -> None:
    """The host serves on; it isn't ready if the service is needed; once the port is free the service runs."""
    with closing(socket.create_server(("127.0.0.1", lines.port))) as other:
        variables = {"JACKFIELD_DAPR_GRPC_PORT": "50001" if needed else "0"}
        with lines.serve(**variables) as process:
            level = "error" if needed else "warning"
            process.wait_for(f"level={level} .*service can't be started.*plugin=lines .*port {lines.port} is taken")
            process.wait_for("component loaded.*component=echo")
            reply = get_on(process.port, "/v1.0/healthz")
            if needed:
                assert reply.status == 500
                assert reply.json["message"] == "dapr is not ready: [lines (failed)]"
            else:
                until(lambda: ready(process) == 204)
            other.close()
            until(lambda: lines.said("entered"))
            until(lambda: ready(process) == 204)
            assert lines.say("echo hello").endswith(" hello")
            assert process.log.count("service can't be started") == 1


def test_a_service_that_hangs_at_its_end_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    """The host waits for its budget and two seconds more, says which plugin it is, and ends."""
    (tmp_path / "site").mkdir()
    Site(tmp_path / "site").install(
        "stuck",
        "import asyncio\nfrom contextlib import asynccontextmanager\nfrom jackfield import hookimpl\n"
        "@asynccontextmanager\nasync def stuck():\n    yield\n    await asyncio.Event().wait()\n"
        "@hookimpl\ndef run_service(host, scope):\n    return stuck()\n",
    )
    folder = tmp_path / "manifests"
    folder.mkdir()
    arguments = ["--plugins", "stuck", "--graceful-shutdown-seconds", "0"]
    with serving(folder, *arguments, PYTHONPATH=str(tmp_path / "site")) as process:
        until(lambda: ready(process) == 204)
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
        assert process.log.count("a service did not end in an orderly way") == 2
        assert "plugin=stuck error=TimeoutError" in process.log


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("return 3", "run_service gave int rather than AbstractAsyncContextManager or None"),
        ("raise OSError('no')", "run_service: OSError: no"),
        ("return Failing()", "ValueError: broken"),
    ],
)
def test_a_plugin_s_faulty_service_is_its_own_trouble(source: str, told: str, tmp_path: Path) -> None:
    """The log names the plugin and the cause; the host is ready all the same."""
    (tmp_path / "site").mkdir()
    Site(tmp_path / "site").install(
        "faulty",
        "from jackfield import hookimpl\nclass Failing:\n    async def __aenter__(self): raise ValueError('broken')\n"
        f"    async def __aexit__(self, *_): pass\n@hookimpl\ndef run_service(host, scope):\n    {source}\n",
    )
    folder = tmp_path / "manifests"
    folder.mkdir()
    with serving(folder, "--plugins", "faulty", PYTHONPATH=str(tmp_path / "site")) as process:
        line = process.wait_for("level=error .*service can't be started.*")[0]
        assert "plugin=faulty" in line
        assert told in line
        until(lambda: ready(process) == 204)


def test_every_worker_tells_of_a_needed_service_that_fails(lines: Lines) -> None:
    """Whichever of two workers answers, the host isn't ready until the service runs in one of them."""
    other = socket.create_server(("127.0.0.1", lines.port))
    with closing(other), lines.serve("--workers", "2", JACKFIELD_DAPR_GRPC_PORT="50001") as process:
        process.wait_for("service can't be started")
        until(lambda: all("lines (failed)" in health(process) for _ in range(20)))
        other.close()
        until(lambda: all(health(process) == "" for _ in range(20)))


def health(process: Process) -> str:
    """Ask whichever worker takes the connection; empty if the host is ready."""
    return get_on(process.port, "/v1.0/healthz").body.decode()


def test_a_stop_that_comes_before_the_services_have_begun_waits_for_none(lines: Lines) -> None:
    """A host that --strict ends at its start ends at once, whatever its budget for running requests is."""
    (lines.folder / "bad.yaml").write_text(component("bad", "conversation.nobody"))
    began = time.monotonic()
    with lines.serve("--strict", "--graceful-shutdown-seconds", "60") as process:
        assert process.exit_code() == 1
    assert time.monotonic() - began < 8  # a start that waits for them takes 10 more


def test_clients_that_wait_for_outbound_health_find_the_services(lines: Lines) -> None:
    """The SDKs' health check holds them back, in every worker, until services have started."""
    gate = lines.path / "open"
    with lines.serve("--workers", "2", LINES_SLOW=str(gate)) as process:
        until(lambda: lines.said("asked once=True"))
        refused = get_on(process.port, "/v1.0/healthz/outbound")
        assert (refused.status, refused.json["errorCode"]) == (500, "ERR_OUTBOUND_HEALTH_NOT_READY")
        gate.touch()
        until(lambda: get_on(process.port, "/v1.0/healthz/outbound").status == 204)
        assert lines.answers()
