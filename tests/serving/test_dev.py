"""`serve --dev` with a plugin that is really installed in place: its code changes while clients ask."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from editable import install_editable, on_path
from process import Process, serving
from running import Reply, component, converse_on

from jackfield.serving.budgets import LINGER

MODULE = """
import asyncio
import sys

from jackfield import Conversation, Result, Settings, hookimpl
from jackfield_probe.words import ANSWER


class Probe(Conversation[Settings]):
    def __init__(self, build):
        super().__init__(build)
        if ANSWER == "unbuildable":
            raise ValueError("this answer can't be built")

    async def start(self):
        if ANSWER == "slow":
            print("starting slowly", file=sys.stderr, flush=True)
            await asyncio.sleep(600)

    async def converse(self, request):
        return Result.of_text(ANSWER)


@hookimpl
def register_components(register):
    register.conversation("conversation.probe", Probe)
"""


LOADED = "component loaded.*component=probe"


@dataclass
class Author:
    """A plugin's project, installed editable into a folder of its own, and a manifest for it."""

    path: Path
    site: Path = field(init=False)
    manifests: Path = field(init=False)

    def __post_init__(self) -> None:
        self.manifests = self.path / "manifests"
        self.manifests.mkdir()
        (self.manifests / "probe.yaml").write_text(component("probe", "conversation.probe"))
        files = {"jackfield_probe/__init__.py": MODULE, "jackfield_probe/words.py": 'ANSWER = "one"\n'}
        self.site = install_editable(self.path, "probe", files, {"probe": "jackfield_probe"})

    def write(self, text: str) -> None:
        """Save the file of words, as an editor does: beside it first."""
        beside = self.words.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.words)

    @property
    def words(self) -> Path:
        return self.path / "source/jackfield_probe/words.py"

    @contextmanager
    def serve(self, *args: str) -> Iterator[Process]:
        variables = {"PYTHONPATH": on_path(self.site, self.path)}
        with serving(self.manifests, "--dev", "--plugins", "probe", *args, **variables) as process:
            yield process


@pytest.fixture
def author(tmp_path: Path) -> Author:
    return Author(tmp_path)


class Load(threading.Thread):
    """Asks on fresh connections, one after another, and keeps every answer in order.

    A worker that leaves closes a connection that has been silent for half a second: a client that the machine held up
    for so long between connecting and asking may ask again, and does.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.answers: list[str] = []
        self.failures: list[object] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            began = time.monotonic()
            try:
                self.answers.append(answer(converse_on(self.port, "probe", "hello")))
            except Exception as error:  # noqa: BLE001  the test looks at them all
                held_up = isinstance(error, ConnectionError) and time.monotonic() - began > LINGER
                if not held_up:
                    self.failures.append(error)

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.join(30)


def until(process: Process, wanted: str) -> None:
    """Wait until the changed code serves, and ask it: what was there before takes no new connection by then."""
    while (reply := converse_on(process.port, "probe", "hello")).status != 200 or answer(reply) != wanted:
        assert process.popen.poll() is None, process.log


def answer(reply: Reply) -> str:
    assert reply.status == 200, reply.body
    text: str = reply.json["outputs"][0]["choices"][0]["message"]["content"]
    return text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_changed_code_answers_and_no_client_is_refused(author: Author, workers: str) -> None:
    """Under load the reply changes with the source, and every connection is answered by the one code or the other."""
    with author.serve("--workers", workers) as process:
        process.wait_for(rf"{LOADED}|worker={workers} .*{LOADED}")
        with Load(process.port) as load:
            until(process, "one")
            author.write('ANSWER = "two"\n')
            process.wait_for("the changed code serves")
            process.wait_for(rf"msg=stopped .*worker={workers}")
            until(process, "two")
        assert load.failures == []
        assert set(load.answers) <= {"one", "two"}
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0


BAD = {
    "syntax": ('ANSWER = = "two"\n', r"SyntaxError: invalid syntax .*jackfield_probe/words\.py:1"),
    "import": ("\n\nANSWER = 1 / 0\n", r"plugin probe: ZeroDivisionError: .*jackfield_probe/words\.py:3"),
    "module": ("import no_such_module\n", "plugin probe: needs the module no_such_module"),
    "build": ('ANSWER = "unbuildable"\n', "component probe: .*this answer can't be built"),
    "exit": ("import os\nos._exit(3)\n", "its process ended before it could serve"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_code_is_told_and_the_old_code_serves_until_it_is_mended(author: Author, bad: str) -> None:
    """Code that can't be used is one line in the log with its place; the old one answers until there is a good one."""
    text, message = BAD[bad]
    with author.serve() as process:
        process.wait_for(LOADED)
        author.write(text)
        process.wait_for(f"changed code can't be used.*{message}")
        assert answer(converse_on(process.port, "probe", "hello")) == "one"
        author.write('ANSWER = "mended"\n')
        until(process, "mended")


def test_a_newer_change_calls_off_one_that_is_under_way(author: Author) -> None:
    """Who saves again does not wait for what was saved before; the old code answers meanwhile."""
    with author.serve() as process:
        process.wait_for(LOADED)
        author.write('ANSWER = "slow"\n')
        process.wait_for("starting slowly")
        assert answer(converse_on(process.port, "probe", "hello")) == "one"
        author.write('ANSWER = "quick"\n')
        until(process, "quick")


def test_a_stop_ends_a_process_that_has_not_taken_over(author: Author) -> None:
    """SIGTERM in the middle of a renewal stops everything, as gracefully as ever."""
    with author.serve() as process:
        process.wait_for(LOADED)
        author.write('ANSWER = "slow"\n')
        process.wait_for("starting slowly")
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
        assert "killed" not in process.log


def test_a_file_of_the_same_size_in_the_same_second_counts(author: Author) -> None:
    """No cached bytecode is taken for current, however quick an edit follows."""
    with author.serve() as process:
        process.wait_for(LOADED)
        times = author.words.stat()
        author.write('ANSWER = "six"\n')
        os.utime(author.words, ns=(times.st_atime_ns, times.st_mtime_ns + 1000))
        until(process, "six")


def test_what_was_broken_from_the_start_stops_no_other_edit(author: Author) -> None:
    """A plugin that has never worked is taken up as soon as it does."""
    author.write("import no_such_module\n")
    with author.serve() as process:
        process.wait_for("level=error .*component=probe")
        author.write('ANSWER = "works"\n')
        until(process, "works")
