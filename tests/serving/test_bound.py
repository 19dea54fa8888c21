"""A stop ends, whatever hangs."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from leftovers import alive, descendants
from plugin_site import Site
from process import serving
from running import component

HANGS = """
import time

from jackfield import Conversation, Settings, hookimpl

class Hangs(Conversation[Settings]):
    async def converse(self, request):
        time.sleep(600)

    async def close(self):
        time.sleep(600)

@hookimpl
def register_components(register):
    register.conversation("conversation.hangs", Hangs)
"""


_PATIENCE = 30.0


def _site(folder: Path) -> tuple[Path, Path]:
    """Install the plugin, and write its component; gives the plugin's folder and the manifests'."""
    site, manifests = folder / "site", folder / "manifests"
    site.mkdir()
    manifests.mkdir()
    Site(site).install("hangs", HANGS)
    (manifests / "hangs.yaml").write_text(component("hangs", "conversation.hangs"))
    return site, manifests


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_component_that_blocks_its_closing_holds_no_stop(tmp_path: Path, workers: str) -> None:
    """Five seconds after the budget of running replies the process ends, with code 1 and a line that says so."""
    site, manifests = _site(tmp_path)
    options = ("--plugins", "hangs", "--graceful-shutdown-seconds", "0.2", "--workers", workers)
    with serving(manifests, *options, PYTHONPATH=str(site)) as process:
        process.wait_for("component loaded.*component=hangs")
        began = time.monotonic()
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 1
        assert 5 < time.monotonic() - began < 15
        process.wait_for("did not stop in time")


@pytest.mark.parametrize("asked", [False, True], ids=["in its closing", "in a request"])
def test_a_worker_that_hangs_does_not_outlive_its_parent(tmp_path: Path, *, asked: bool) -> None:
    """When the parent is killed, a worker with a component that blocks its event loop ends within the same time."""
    site, manifests = _site(tmp_path)
    options = ("--plugins", "hangs", "--graceful-shutdown-seconds", "0.2", "--workers", "2")
    with ExitStack() as stack, serving(manifests, *options, PYTHONPATH=str(site)) as process:
        process.wait_for("component loaded.*component=hangs")
        workers = descendants(process.popen.pid)
        assert len(workers) == 2
        if asked:
            body = b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"hello"}]}}]}]}'
            head = b"POST /v1.0-alpha2/conversation/hangs/converse HTTP/1.1\r\nHost: localhost\r\n"
            client = stack.enter_context(socket.create_connection(("127.0.0.1", process.port)))
            client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            process.wait_for("a plugin blocks the event loop.*plugin=hangs")
        process.signal(signal.SIGKILL)
        end = time.monotonic() + _PATIENCE
        while any(map(alive, workers)) and time.monotonic() < end:
            time.sleep(0.05)  # the end of a process that isn't one's own child has no signal
        left = [pid for pid in workers if alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left
