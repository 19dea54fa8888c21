"""The tutorial, done from its first line to its last as a reader does it: files, commands and replies."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from editable import install_in_place, on_path
from markdown import Block, page
from process import Process, serving
from running import Reply, send
from shell import Curl, commands

TUTORIAL = page("docs/plugins/tutorial.md")
PROJECT = {"pyproject.toml", "jackfield_heron.py", "conftest.py", "test_heron.py"}
SERVER = "http://localhost:8099"
PATIENCE = 20.0


@dataclass
class Reader:
    """Somebody at the page: a folder, and the processes in its terminals."""

    folder: Path
    stack: ExitStack
    host: Process | None = None
    server: str = SERVER
    done: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)

    def save(self, block: Block) -> None:
        """Save a file where the page says."""
        places = {"server.py": self.folder, "heron.yaml": self.folder / "manifests"}
        place = self.folder / "jackfield-heron" if block.file_name in PROJECT else places[block.file_name]
        place.mkdir(exist_ok=True)
        self.saved.append(block.file_name)
        beside = place / f".{block.file_name}.new"
        beside.write_text(block.text.replace(SERVER, self.server))
        beside.replace(place / block.file_name)

    def run(self, block: Block, shown: Block | None) -> None:
        """Run a block's commands."""
        for words in commands(block):
            line = shlex.join(words)
            self.done.append(line)
            match words:
                case ["jackfield", "install", "--editable", project]:
                    install_in_place(self.folder / project, self.folder / "site")
                case ["jackfield", "serve", *args]:
                    path = on_path(self.folder / "site", self.folder)
                    arguments = [*args, "--plugins", "heron"]
                    self.host = self.stack.enter_context(
                        serving(self.folder / "manifests", *arguments, PYTHONPATH=path)
                    )
                case ["python3", "server.py", _]:
                    self.server = self.stack.enter_context(model_server(self.folder))
                case ["jackfield", "converse", *_]:
                    wanted = "".join(part for part in block.text.splitlines(keepends=True) if part[:2] != "$ ")
                    until(partial(self.printed, words), wanted, block)
                case ["curl", *_]:
                    assert shown is not None
                    call = Curl.parse(words)
                    until(partial(self.answered, call, shown.language), plain(shown), block)
                case ["python3", "-m", "pytest", project]:
                    ran = self.process("-m", "pytest", "-p", "no:cacheprovider", project)
                    assert ran.returncode == 0, ran.stdout
                    assert " 0 failed" in ran.stdout.partition("conformance of ")[2].replace("\n", " "), ran.stdout
                case ["python3", "-m", "pip", "install", "pytest"] | ["jackfield", "install", "heron"]:
                    pass
                case _:
                    raise AssertionError(f"{TUTORIAL}:{block.line}: nobody runs {line}")

    def process(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python as the reader's environment has it."""
        assert self.host is not None
        variables = {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "JACKFIELD_URL": self.host.url}
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))
        }
        return subprocess.run(
            [sys.executable, *words],
            env=environment | variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )

    def printed(self, words: list[str]) -> str:
        """Run a command of jackfield, and return what it prints."""
        return self.process("-m", *words).stdout

    def answered(self, call: Curl, kind: str) -> object:
        """Send a request, and return the reply as a block of this kind shows it."""
        reply = self.ask(call)
        return reply.json if kind == "json" else (f"HTTP/1.1 {reply.status}", reply.json)

    def ask(self, call: Curl) -> Reply:
        """Send what curl would."""
        assert self.host is not None
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=PATIENCE)
        try:
            return send(connection, call.method, call.path, call.data)
        finally:
            connection.close()


@contextmanager
def model_server(folder: Path) -> Iterator[str]:
    """Run the page's server on a port of the kernel's choice."""
    with subprocess.Popen([sys.executable, "server.py", "0"], cwd=folder, stdout=subprocess.PIPE, text=True) as popen:
        assert popen.stdout is not None
        try:
            yield popen.stdout.readline().strip()
        finally:
            popen.terminate()


def until(ask: Callable[[], object], wanted: object, block: Block) -> None:
    """Ask until a change has been taken up, which the log tells of too, and compare."""
    began = time.monotonic()
    while (got := ask()) != wanted:
        assert time.monotonic() - began < PATIENCE, f"{TUTORIAL}:{block.line}: {got!r} instead of {wanted!r}"


def plain(shown: Block) -> object:
    """Return what a block shows, in the same form."""
    if shown.language == "json":
        return json.loads(shown.text)
    head, _, body = shown.text.partition("\n\n")
    return head, json.loads(body)


def test_the_tutorial_works_step_by_step(tmp_path: Path) -> None:
    """Every file and every command of the page, in its order, does what the page says; no step needs a new start."""
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        for block, following in zip(TUTORIAL.blocks, [*TUTORIAL.blocks[1:], None], strict=True):
            if block.language in {"toml", "python", "yaml"}:
                reader.save(block)
            elif block.language in {"sh", "console"}:
                reader.run(block, following if following is not None and following.follows_directly else None)
        assert set(reader.saved) == PROJECT | {"heron.yaml", "server.py"}
        assert sum(line.startswith("jackfield serve") for line in reader.done) == 1


def test_the_first_reply_takes_two_files_and_twenty_lines() -> None:
    """Before the first command that asks there are two files of a plugin, with at most 20 lines of Python."""
    before = []
    for block in TUTORIAL.blocks:
        if block.language == "console":
            break
        if block.file_name in PROJECT:
            before.append(block)
    assert [block.language for block in before] == ["toml", "python"]
    assert len([line for line in before[1].text.splitlines() if line.strip()]) <= 20
