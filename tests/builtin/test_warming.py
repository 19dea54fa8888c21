"""When the default scrubber is loaded: not before it is needed, and not later than that can be known."""

from __future__ import annotations

from pathlib import Path

import pytest
from process import serving
from running import component, converse_on


def libraries(process_id: int) -> bool:
    """Whether a process has loaded the libraries that scrubbing takes."""
    return "spacy" in Path(f"/proc/{process_id}/maps").read_text()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc to look into")
def test_without_a_wish_nothing_is_loaded_until_a_request_asks(tmp_path: Path) -> None:
    """A host that scrubs nothing has not paid for it; the first request that asks waits and is scrubbed."""
    (tmp_path / "a.yaml").write_text(component("echo"))
    with serving(tmp_path) as host:
        converse_on(host.port, "echo", "hello")
        assert not libraries(host.popen.pid)
        assert b"<EMAIL_ADDRESS>" in converse_on(host.port, "echo", "jane@example.com", scrub=True).body
        assert libraries(host.popen.pid)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc to look into")
def test_warm_loads_it_before_the_host_listens(tmp_path: Path) -> None:
    """With --warm no request waits for it."""
    (tmp_path / "a.yaml").write_text(component("echo"))
    with serving(tmp_path, "--warm") as host:
        converse_on(host.port, "echo", "hello")
        assert libraries(host.popen.pid)


def test_a_manifest_that_enforces_scrubbing_is_scrubbed_from_the_first_request_on(tmp_path: Path) -> None:
    """The request says nothing of scrubbing, and what the provider got is masked all the same."""
    (tmp_path / "a.yaml").write_text(component("echo", scrubPII="both"))
    with serving(tmp_path) as host:
        reply = converse_on(host.port, "echo", "jane@example.com")
        assert (reply.status, b"<EMAIL_ADDRESS>" in reply.body) == (200, True)
