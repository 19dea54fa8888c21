"""A blocked event loop, as an operator meets it: in the log of a serving process."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from plugin_site import Site
from process import Process, serving
from running import component, converse_on

PLUGIN = """
import time

from jackfield import Conversation, Result, Settings, hookimpl

class Blocking(Conversation[Settings]):
    async def converse(self, request):
        secret = "s3cret value"
        getattr(self, request.messages[-1].text.partition(" ")[0])()
        return Result.of_text("done")

    def sleep(self):
        time.sleep(2)

    def loop(self):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass

    def compute(self):
        sum(range({numbers}))

    def quick(self):
        time.sleep(0.3)

    def forever(self):
        while True:
            time.sleep(1)

@hookimpl
def register_components(register):
    register.conversation("conversation.blocking", Blocking)
"""
PATIENCE = 20.0


@pytest.fixture(scope="module")
def numbers() -> int:
    """How many numbers this machine adds up in two seconds."""
    used = 0.0
    count = 5_000_000
    while used < 0.1:
        count *= 2
        began = time.thread_time()
        sum(range(count))
        used = time.thread_time() - began
    return int(count * 2 / used)


@contextmanager
def blocking(path: Path, *args: str, numbers: int = 1) -> Iterator[Process]:
    """Serve a component that blocks the event loop in the way that it is told to."""
    site, folder = path / "site", path / "manifests"
    site.mkdir()
    folder.mkdir()
    Site(site).install("blocking", PLUGIN.replace("{numbers}", str(numbers)))
    (folder / "llm.yaml").write_text(component("llm", "conversation.blocking"))
    with serving(folder, "--plugins", "blocking", *args, PYTHONPATH=str(site)) as process:
        assert converse_on(process.port, "llm", "quick").status == 200
        yield process


@pytest.mark.parametrize("way", ["sleep", "loop"])
def test_who_blocks_the_loop_is_named_once(tmp_path: Path, way: str) -> None:
    """One warning names plugin, version, function and line, another says how long it was, and neither has any text."""
    with blocking(tmp_path) as process:
        assert converse_on(process.port, "llm", f"{way} the words of a person").status == 200
        blocked = process.wait_for(r"a plugin blocks the event loop.*")[0]
        assert "plugin=blocking distribution=jackfield-blocking version=1.0" in blocked
        assert re.search(rf'at="site/jackfield_blocking.py:\d+ in Blocking.{way}" seconds=[12]\.\d', blocked), blocked
        assert "asyncio.to_thread" in blocked
        goes_on = process.wait_for(r"the event loop goes on.* seconds=(\d+\.\d+)")
        assert "plugin=blocking" in goes_on[0]
        assert float(goes_on[1]) > 1.0
        assert converse_on(process.port, "llm", "quick").status == 200
        assert process.log.count("blocks the event loop") == process.log.count("the event loop goes on") == 1
        assert "words of a person" not in process.log
        assert "s3cret" not in process.log


def test_code_that_keeps_the_interpreter_is_noticed(tmp_path: Path, numbers: int) -> None:
    """A long call into C, during which no other thread can look, is told of once; its plugin, where it still shows."""
    with blocking(tmp_path, numbers=numbers) as process:
        assert converse_on(process.port, "llm", "compute").status == 200
        process.wait_for(r"plugin=blocking .* in Blocking.compute|the event loop was blocked.* seconds=[1-9]")
        assert len(re.findall(r"blocks the event loop|the event loop was blocked", process.log)) == 1


def test_a_process_that_is_halted_blocks_nothing(tmp_path: Path) -> None:
    """Time in which the whole process may not run, as on a machine that sleeps, is nobody's fault."""
    with blocking(tmp_path) as process:
        process.signal(signal.SIGSTOP)
        time.sleep(2.5)  # that it stands still for this long is the case itself
        process.signal(signal.SIGCONT)
        assert converse_on(process.port, "llm", "quick").status == 200
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
        assert "event loop" not in process.log


def test_a_second_signal_ends_a_blocked_host(tmp_path: Path) -> None:
    """What blocks the event loop for good can't keep a second SIGTERM from ending the process at once, with code 1."""
    with blocking(tmp_path) as process, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(converse_on, process.port, "llm", "forever")
        process.wait_for("blocks the event loop")
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGINT)
        assert process.exit_code() == 1
        assert isinstance(asked.exception(PATIENCE), OSError)


def test_a_worker_that_stands_still_is_replaced(tmp_path: Path) -> None:
    """The parent kills a worker whose loop is blocked for --worker-timeout, and one that is merely halted stays."""
    with blocking(tmp_path, "--workers", "2", "--worker-timeout", "2") as process:
        pids = re.findall(r'msg="worker started".* pid=(\d+)', process.log)
        os.kill(int(pids[0]), signal.SIGSTOP)
        with pytest.raises(OSError, match=r".+"):
            converse_on(process.port, "llm", "forever")
        # The halted one takes nothing, so it was the other.
        stands_still = process.wait_for(
            r"event loop stands still; it is killed and replaced.* pid=(\d+) seconds=[2-9]\."
        )
        process.wait_for(rf"worker died.* pid={pids[1]} how=SIGKILL")
        process.wait_for(r"worker replaced")
        os.kill(int(pids[0]), signal.SIGCONT)
        assert stands_still[1] == pids[1]
        assert converse_on(process.port, "llm", "quick").status == 200
        assert process.log.count("stands still") == 1
        process.wait_for(rf"blocks the event loop.* pid={pids[1]} plugin=blocking")
