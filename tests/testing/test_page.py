"""The page on testing: what it shows runs, and its tables say what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from markdown import page

from jackfield.testing import CAPABILITIES, CannedHost, ConversationKit
from jackfield.testing.checking import check_of

PAGE = page("docs/plugins/testing.md")
FILES = ("conftest.py", "test_conformance.py", "test_upstream.py", "test_app.py")


def test_the_pages_files_run(tmp_path: Path) -> None:
    """Saved under the names that the page gives, in one folder, its files pass, and the report is printed."""
    code = [block for block in PAGE.blocks if block.language == "python"]
    assert len(code) == len(FILES)
    for name, block in zip(FILES, code, strict=True):
        (tmp_path / name).write_text(block.text)
    words = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-q"]
    ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=55)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "conformance of conversation.openai (TestOpenAI)" in ran.stdout
    assert "absent: the API hides its models' thinking" in ran.stdout


def test_the_capabilities_are_those_of_the_kit() -> None:
    """The table has each capability with its meaning, word for word."""
    listed = {name.strip("`"): meaning for name, meaning in PAGE.table("Capabilities")}
    assert listed == dict(CAPABILITIES)


def test_the_attributes_are_those_of_the_kit() -> None:
    """The table names the attributes that a class may set, and all of them."""
    listed = {row[0].strip("`") for row in PAGE.table("The conformance kit")}
    own = {
        name
        for cls in ConversationKit.__mro__
        if cls.__module__.startswith("jackfield.")
        for name, value in vars(cls).items()
        if not name.startswith("_") and not callable(value) and not isinstance(value, property)
    }
    assert listed == own
    assert not [name for name in own if check_of(getattr(ConversationKit, name))]


def test_the_options_exist() -> None:
    """Each option of the table is one that pytest takes once the kit is asked for."""
    words = [sys.executable, "-m", "pytest", "-p", "jackfield.testing", "--help"]
    told = subprocess.check_output(words, text=True, timeout=50)
    for row in PAGE.table("The report"):
        assert row[0].strip("`").split()[0] in told


def test_the_calls_of_the_host_exist() -> None:
    """What the table of the fixture names is there."""
    for row in PAGE.table("A host for tests of apps"):
        for name in re.findall(r"`host\.(\w+)", row[0]):
            assert name in {*vars(CannedHost), *CannedHost.__dataclass_fields__}, name
