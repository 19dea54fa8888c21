"""Files of plugins beside what was installed: distributions that were built, installed and then tampered with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pytest
from built_plugin import install_built, write_project

from jackfield.plugins.integrity import check_files
from jackfield.plugins.startup import Findings, site_folders

FILES = {
    "jackfield_probe/__init__.py": "import os\nopen(os.environ['PROBE_MARK'], 'w').close()\n",
    "jackfield_probe/inner.py": "",
    "jackfield_probe_two.py": "",
}
ENTRIES = {"probe": "jackfield_probe", "inner": "jackfield_probe.inner", "two": "jackfield_probe_two"}
UV = shutil.which("uv", path=os.environ.get("PATH", "") + os.pathsep + str(Path(sys.executable).parent))


@pytest.fixture(scope="module", params=["pip", "uv"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which an installer has put a plugin that leaves a mark when it is imported."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "pip":
        return install_built(folder, "probe", FILES, ENTRIES)
    if UV is None:
        pytest.skip("uv is not here")
    write_project(folder / "source", "probe", FILES, ENTRIES)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--offline", "--python", sys.executable]
    command = [UV, "pip", "install", *options, "--target", str(folder / "installed"), str(folder / "source")]
    subprocess.run(command, check=True, env=os.environ | {"UV_CACHE_DIR": str(folder / "cache")})
    return folder / "installed"


@pytest.fixture
def site(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to tamper with, on the import path."""
    site = tmp_path / "site"
    shutil.copytree(built, site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PROBE_MARK", str(tmp_path / "mark"))
    return site


def checked(site: Path) -> Findings:
    return check_files(distributions(path=[str(site)]), [site])


def info(site: Path) -> Path:
    [found] = site.glob("*.dist-info")
    return found


def record(old: str, new: str) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        file = info(site) / "RECORD"
        file.write_text(re.sub(old, new, file.read_text(), flags=re.MULTILINE))

    return change


def shadow(site: Path) -> None:
    (site / "jackfield_probe_two").mkdir()
    (site / "jackfield_probe_two" / "__init__.py").write_text("")


def elsewhere(site: Path) -> None:
    (info(site) / "entry_points.txt").write_text("[jackfield]\nprobe = json.tool\n")


def pipe(site: Path) -> None:
    (site / "jackfield_probe_two.py").unlink()
    os.mkfifo(site / "jackfield_probe_two.py")


def test_what_was_installed_is_in_order(site: Path) -> None:
    """Nothing is said of an installation that nobody has touched, with caches of bytecode too."""
    (site / "jackfield_probe" / "__pycache__").mkdir(exist_ok=True)
    (site / "jackfield_probe" / "__pycache__" / "inner.cpython-311.pyc").write_bytes(b"x")
    assert checked(site) == Findings()


PROBE = "jackfield_probe"
SIZE = len(FILES["jackfield_probe/__init__.py"])
TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (
        lambda site: (site / PROBE / "__init__.py").write_text("import this\n"),
        f"jackfield_probe/__init__.py is not what was installed: it has 12 bytes instead of {SIZE}",
    ),
    "edited to the same size": (
        lambda site: (site / PROBE / "__init__.py").write_text("#" * SIZE),
        "jackfield_probe/__init__.py is not what was installed: it has another sha256",
    ),
    "missing": (lambda site: (site / PROBE / "inner.py").unlink(), "jackfield_probe/inner.py is missing"),
    "extra module": (
        lambda site: (site / PROBE / "extra.py").write_text(""),
        "jackfield_probe/extra.py was not installed with it; remove it, or install it again",
    ),
    "extra bytecode": (
        lambda site: (site / PROBE / "extra.pyc").write_bytes(b""),
        "jackfield_probe/extra.pyc was not installed with it",
    ),
    "extra link": (
        lambda site: (site / PROBE / "sub").symlink_to(site.parent),
        "jackfield_probe/sub was not installed with it",
    ),
    "shadowed module": (shadow, "its entry point two names the module jackfield_probe_two, which lies in"),
    "entry point elsewhere": (elsewhere, "its entry point probe names the module json.tool, which lies in"),
    "no such module": (
        lambda site: (info(site) / "entry_points.txt").write_text("[jackfield]\nprobe = jackfield_absent\n"),
        "its entry point probe names the module jackfield_absent, which isn't there",
    ),
    "pipe": (pipe, "jackfield_probe_two.py is no plain file"),
    "no RECORD": (lambda site: (info(site) / "RECORD").unlink(), "it has no RECORD, so that its files can't be"),
    "no hash": (record("^(jackfield_probe_two.py),.*", r"\1,,"), "jackfield_probe_two.py has no hash in RECORD"),
    "weak hash": (record("^(jackfield_probe_two.py),.*", r"\1,md5=x,"), "has a hash of the kind 'md5' in RECORD"),
    "RECORD that is none": (record(r"\A", '"'), "RECORD can't be read"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_tampered_with_is_named(site: Path, case: str) -> None:
    """A line says whose file it is, what is wrong with it and how to install it again; nothing is imported."""
    tamper, text = TAMPERED[case]
    tamper(site)
    found = checked(site)
    [line] = [problem for problem in found.problems if text in problem]
    assert line.startswith("jackfield-probe: ")
    assert "install it again: " in line
    assert "jackfield-probe" in line.rpartition("install it again: ")[2]
    assert not (site.parent / "mark").exists()


def test_an_editable_distribution_is_said_to_be_one(site: Path, tmp_path: Path) -> None:
    """Its code lies elsewhere and can't be verified, which is a note; its module may lie there and nowhere else."""
    source = tmp_path / "source"
    source.mkdir()
    shutil.move(site / "jackfield_probe", source)
    (site / "source.pth").write_text(f"{source}\n")
    (info(site) / "direct_url.json").write_text(json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}}))
    record("^(jackfield_probe/|.*direct_url.json).*\n", "")(site)
    sys.path.insert(0, str(source))
    try:
        found = checked(site)
    finally:
        sys.path.remove(str(source))
    assert found == Findings(notes=[f"jackfield-probe: editable, so that its code in {source} can't be verified"])


STARTUP = {
    "code of nobody": ("import os\n", "", True, "and is of no distribution; find out who put it there"),
    "code with a tab": ("# x\nimport\tos\n", "", True, "and is of no distribution"),
    "code of a distribution": (
        "import os\n",
        "Nyet_1JOBhYCLq3Y9K8hoHeLKfxMd73-_Rr84sv15Lc",
        False,
        "of jackfield-probe",
    ),
    "code that was changed": ("import os\n", "x", True, "of jackfield-probe, but it is not what was installed"),
    "virtualenv's": ("import _virtualenv\n", "", False, "as virtualenv and uv put it into their environments"),
    "a path": ("/some/folder\n", "", False, ""),
}


@pytest.mark.parametrize("case", STARTUP)
def test_code_that_runs_at_every_start_is_listed(site: Path, case: str) -> None:
    """A .pth file with code is a note if it is what a distribution brought, and else a problem."""
    text, digest, wrong, says = STARTUP[case]
    (site / "some.pth").write_text(text)
    if digest:
        record(r"\A", f"some.pth,sha256={digest},\n")(site)
    found = checked(site)
    about = [line for line in (found.problems if wrong else found.notes) if "runs code whenever Python starts" in line]
    assert [says in line for line in about] == ([True] if says else [])
    assert bool(found.problems) is wrong


def test_the_folders_are_those_that_python_reads() -> None:
    """They hold the one into which this environment's packages are installed."""
    import pluggy

    assert Path(pluggy.__file__).parents[1] in site_folders()


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_command_imports_nothing_that_was_tampered_with(site: Path, tmp_path: Path, form: list[str]) -> None:
    """With a file changed, `plugins --check` names it, loads no plugin and exits with 1."""
    (site / "jackfield_probe" / "inner.py").write_text("raise SystemExit\n")
    command = [sys.executable, "-P", "-m", "jackfield", "plugins", "--check", *form]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "jackfield_probe/inner.py is not what was installed" in done.stdout
    assert not (tmp_path / "mark").exists()
    if form:
        listing = json.loads(done.stdout)
        assert listing["plugins"] == []
        assert len(listing["files"]) == 1
