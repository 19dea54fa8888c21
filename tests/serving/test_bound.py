"""A stop ends, whatever hangs."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from plugin_site import Site
from process import serving
from running import component

HANGS = """
import time

from jackfield import Conversation, Result, Settings, hookimpl

class Hangs(Conversation[Settings]):
    async def converse(self, request):
        return Result.of_text("")

    async def close(self):
        time.sleep(600)

@hookimpl
def register_components(register):
    register.conversation("conversation.hangs", Hangs)
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_component_that_blocks_its_closing_holds_no_stop(tmp_path: Path, workers: str) -> None:
    """Five seconds after the budget of running replies the process ends, with code 1 and a line that says so."""
    site, manifests = tmp_path / "site", tmp_path / "manifests"
    site.mkdir()
    manifests.mkdir()
    Site(site).install("hangs", HANGS)
    (manifests / "hangs.yaml").write_text(component("hangs", "conversation.hangs"))
    options = ("--plugins", "hangs", "--graceful-shutdown-seconds", "0.2", "--workers", workers)
    with serving(manifests, *options, PYTHONPATH=str(site)) as process:
        process.wait_for("component loaded.*component=hangs")
        began = time.monotonic()
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 1
        assert 5 < time.monotonic() - began < 15
        process.wait_for("did not stop in time")
