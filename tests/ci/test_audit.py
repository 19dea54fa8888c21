"""``nox -s audit`` never takes a finding, or a failure, for a machine that can't ask."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"
CLEAN = {"name": "sound", "version": "1.0", "vulns": []}
BAD = {"name": "holey", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": []}]}
SKIPPED = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


class Forbidding(http.server.BaseHTTPRequestHandler):
    """Answers, and gives nothing."""

    def do_GET(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def feed() -> Iterator[str]:
    """The address of a server that can be reached."""
    with http.server.HTTPServer(("127.0.0.1", 0), Forbidding) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


def audit(feed: str, report: object, code: int) -> subprocess.CompletedProcess[str]:
    """Judge what a pip-audit said that printed a report, or nothing, and ended with a code."""
    said = "" if report is None else json.dumps({"dependencies": report, "fixes": []})
    pip_audit = f"import sys; print({said!r}); print('its own words', file=sys.stderr); sys.exit({code})"
    command = [sys.executable, str(AUDIT), "--feed", feed, "--", sys.executable, "-c", pip_audit]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=50)


@pytest.mark.parametrize("reachable", [True, False])
def test_a_finding_is_one_whatever_can_be_reached(feed: str, nobody: str, reachable: bool) -> None:
    """The distribution, the advisory and the version that mends it are named, and the exit code is 1."""
    done = audit(feed if reachable else nobody, [CLEAN, BAD, SKIPPED], 1)
    assert done.returncode == 1
    assert "holey 2.0: PYSEC-1; mended in: 2.1" in done.stdout
    assert "ours: not audited: Dependency not found on PyPI" in done.stdout


def test_nothing_found_is_a_pass(feed: str) -> None:
    """A report without findings ends with 0 and says how many distributions it is about."""
    done = audit(feed, [CLEAN, SKIPPED], 0)
    assert done.returncode == 0
    assert done.stdout.endswith("1 distributions audited, 1 not; 0 known vulnerabilities\n")


def test_who_can_t_ask_says_so(nobody: str) -> None:
    """No report and nobody to ask is no failure, and doesn't look like a pass."""
    done = audit(nobody, None, 1)
    assert done.returncode == 0
    assert done.stdout.startswith("NOT AUDITED: ")


def test_an_index_that_knows_nothing_is_no_pass_either(feed: str) -> None:
    """A mirror that has no advisories answers for none of the distributions: nothing is known then."""
    done = audit(feed, [SKIPPED, SKIPPED], 0)
    assert done.returncode == 0
    assert done.stdout.startswith("NOT AUDITED: ")
    assert audit(feed, [SKIPPED], 1).returncode == 1


@pytest.mark.parametrize(("report", "code"), [(None, 1), (None, 0), ([], 0), ([CLEAN], 1)])
def test_any_other_failure_is_one(feed: str, report: object, code: int) -> None:
    """No report though the advisories can be reached, an empty one, or a failure beside a clean one, ends with 1."""
    assert audit(feed, report, code).returncode == 1
