"""What a run of the kit prints, writes and leaves out, in a pytest of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import pytest

CONFTEST = 'pytest_plugins = ["jackfield.testing"]\n'
KITS = """
    import sys
    from jackfield import hookimpl
    from jackfield.testing import ConversationKit
    from jackfield_echo import Echo

    class TestGood(ConversationKit):
        type_name = "conversation.echo"

    class Words(Echo):
        lacks = {"usage": "it counts words"}

    @hookimpl
    def register_components(register):
        register.conversation("conversation.words", Words)

    class TestBad(ConversationKit):
        type_name = "conversation.words"
        plugin = sys.modules[__name__]
        metadata = {"flavour": "sweet"}
"""
CHOSEN = "manifest_is_built or usage_adds_up or any_conversation or text_is_answered or live"


def run(folder: Path, *options: str, conftest: str = CONFTEST, kits: str = KITS) -> subprocess.CompletedProcess[str]:
    """Run the kits in a folder of their own, with warnings as errors."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_kits.py").write_text(dedent(kits))
    words = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-k", CHOSEN, *options]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=50)


def rows(printed: str, kit: str) -> dict[str, str]:
    """The lines of a class's table, by title."""
    _, _, table = printed.partition(f"({kit})")
    lines = table.splitlines()[1:]
    return dict([part.strip() for part in line.split("  ", 1)] for line in lines[: _length(lines)])


def _length(lines: list[str]) -> int:
    return next(number for number, line in enumerate(lines) if line.endswith("checks"))


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two processes"])
def test_a_table_is_printed_for_each_class(tmp_path: Path, workers: list[str]) -> None:
    """Each check has a line with what came of it; what is absent says why; the last line counts."""
    ran = run(tmp_path, *workers)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    good, bad = rows(ran.stdout, "TestGood"), rows(ran.stdout, "TestBad")
    assert good["a manifest that is right is built without a word"] == "passed"
    assert good["any conversation is answered or refused"] == "passed (4 cases)"
    assert good["a text is answered"].startswith("absent: the provider has no upstream")
    assert bad["a manifest that is right is built without a word"] == "failed"
    assert bad["usage is told once, without an upstream"] == "absent: it counts words"
    assert "0 failed, 3 passed, 1 absent, of 4 checks" in ran.stdout
    assert "1 failed, 1 passed, 2 absent, of 4 checks" in ran.stdout


def test_the_json_says_the_same(tmp_path: Path) -> None:
    """A registry reads the type, the distribution with its version, and every case with its state and reason."""
    ran = run(tmp_path, "--conformance-json", "found.json")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    good, bad = json.loads((tmp_path / "found.json").read_text("utf-8"))["components"]
    assert (good["type"], good["kit"], good["distribution"]) == ("conversation.echo", "TestGood", "jackfield-echo")
    assert good["version"]
    assert good["cases"] == {"failed": 0, "passed": 6, "absent": 1}
    assert {"check": "any conversation is answered or refused", "case": "tool", "state": "passed"} in good["checks"]
    assert {
        "check": "usage is told once, without an upstream",
        "capability": "usage",
        "state": "absent",
        "reason": "it counts words",
    } in bad["checks"]


def test_real_providers_are_asked_only_when_told(tmp_path: Path) -> None:
    """Without ``--live`` those checks are not there at all; with it, and without a key, they say which key."""
    kits = """
        from jackfield.testing import ConversationKit

        class TestLive(ConversationKit):
            type_name = "conversation.echo"
            live = {"key": "NO_SUCH_KEY_IS_SET"}
    """
    quiet, live = run(tmp_path, kits=kits), run(tmp_path, "--live", kits=kits)
    assert "live:" not in quiet.stdout
    assert rows(live.stdout, "TestLive")["live: a wrong key is refused"] == "absent: NO_SUCH_KEY_IS_SET is not set"


def test_a_test_module_may_ask_for_the_plugin(tmp_path: Path) -> None:
    """Without a ``conftest.py`` the table is printed all the same; only the options need one."""
    ran = run(tmp_path, conftest="", kits=CONFTEST + dedent(KITS))
    assert "conformance of conversation.echo (TestGood)" in ran.stdout, ran.stdout + ran.stderr


def test_a_failure_shows_both_sides(tmp_path: Path) -> None:
    """The kit's assertions are rewritten, so an author sees what was compared."""
    assert "spec.metadata.flavour: is no setting of conversation.words" in run(tmp_path).stdout


def test_the_host_needs_no_pytest() -> None:
    """Importing ``jackfield`` and its host imports neither pytest nor this package."""
    code = "import sys, jackfield, jackfield.host; print([m for m in sys.modules if 'pytest' in m or 'testing' in m])"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50
    ).stdout
    assert printed.strip() == "[]"


def test_nothing_is_loaded_unasked() -> None:
    """There is no entry point that would load the kit into every test run of an environment."""
    assert not [point for point in entry_points(group="pytest11") if point.value.startswith("jackfield")]
