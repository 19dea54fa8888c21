"""``jackfield new-plugin``: what it writes installs, loads and answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from markdown import ROOT, Page
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from process import serving
from running import converse_on

from jackfield.cli.new_plugin import new_plugin
from jackfield.errors import ConfigurationError
from jackfield.plugins.scaffold import check_name, write_plugin
from jackfield.version import __version__


def run(*command: str | Path, path: Path, cwd: Path) -> str:
    """Run Python with a folder on its import path and return what it writes."""
    environment = os.environ | {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_plugin_installs_loads_and_answers(tmp_path: Path) -> None:
    """The wheel of a plugin as written is found, loaded, and its component answers; its own test passes."""
    result = CliRunner().invoke(new_plugin, ["Two-Words", "--to", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    project = tmp_path / "jackfield-two-words"
    files = (
        "jackfield_two_words.py",
        "pyproject.toml",
        "README.md",
        "tests/conftest.py",
        "tests/test_two_words.py",
        ".github/workflows/publish.yml",
        ".gitignore",
    )
    assert result.output.splitlines()[: len(files)] == [f"wrote {project / file}" for file in files]
    assert f"jackfield install --editable {project}" in result.output

    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    run("-m", "hatchling", "build", "-t", "wheel", "-d", wheels, path=tmp_path / "none", cwd=project)
    (wheel,) = wheels.glob("jackfield_two_words-0.1.0-*.whl")
    zipfile.ZipFile(wheel).extractall(installed)
    host = Version(__version__)
    listing = json.loads(run("-m", "jackfield", "plugins", "--json", "--check", path=installed, cwd=tmp_path))
    (listed,) = [plugin for plugin in listing["plugins"] if plugin["name"] == "two-words"]
    assert listed == {
        "name": "two-words",
        "distribution": "jackfield-two-words",
        "version": "0.1.0",
        "requires": f">={host.major}.{host.minor},<{host.major}.{host.minor + 1}",
        "state": "loaded",
        "reason": "",
        "hooks": ["register_components"],
        "types": ["conversation.two-words"],
        "path": str(installed / "jackfield_two_words.py"),
        "module": "jackfield_two_words",
    }

    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifest,) = [block.text for block in Page(project / "README.md").blocks if block.language == "yaml"]
    (manifests / "component.yaml").write_text(manifest)
    with serving(manifests, "--plugins", "two-words", PYTHONPATH=str(installed)) as process:
        reply = converse_on(process.port, "two-words", "hello there")
        assert reply.json["outputs"][0]["choices"][0]["message"] == {"content": "I heard: hello there"}

    told = run("-m", "pytest", "-p", "no:cacheprovider", "-W", "error", path=installed, cwd=project)
    assert re.search(r"conformance of .*conversation\.two-words", told), told


@pytest.mark.parametrize("name", ["class", "json", "none", "settings", "x1"])
def test_a_name_that_python_knows_too_does_no_harm(tmp_path: Path, name: str) -> None:
    """The module and the classes have names of their own, whatever the plugin is called."""
    module, *_, test, _, _ = write_plugin(check_name(name, ()), tmp_path)
    for file in (module, test):
        compile(file.read_text("utf-8"), file, "exec")


def test_the_workflow_publishes_by_trust(tmp_path: Path) -> None:
    """PyPI's trusted publishing: the job that uploads may ask for a token, no other job may, and no secret is used."""
    text = next(file for file in write_plugin("parrot", tmp_path) if file.name == "publish.yml").read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["build"]
    publish = workflow["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["steps"][-1]["uses"] == "pypa/gh-action-pypi-publish@release/v1"
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@(release/)?v\d+", name) for name in used)
    assert "secrets." not in text


def test_a_new_plugin_takes_twenty_lines(tmp_path: Path) -> None:
    """To the first reply it takes two files and at most 20 lines: the module's code and what a project can't lack."""
    module, project, *_ = write_plugin("parrot", tmp_path)
    code = [line for line in module.read_text("utf-8").splitlines()[1:] if line.strip()]
    needed = ("name", "version", "dependencies", "[project", "parrot =")
    essentials = [line for line in project.read_text("utf-8").splitlines() if line.startswith(needed)]
    assert len(essentials) == 6
    assert len(code) + len(essentials) <= 20


@pytest.mark.parametrize(
    ("version", "requires"),
    [
        ("0.1.0", ">=0.1,<0.2"),
        ("1.4.2", ">=1.4,<1.5"),
        ("0.2.0rc1", ">=0.2.0rc1,<0.3"),
        ("0.2.0.dev3+local", ">=0.2.0.dev3,<0.3"),
    ],
)
def test_a_new_plugin_asks_for_the_running_host(tmp_path: Path, version: str, requires: str) -> None:
    """The range starts at the running version's minor release, or at the prerelease itself, and ends at the next."""
    _, project, *_ = write_plugin("parrot", tmp_path, version=version)
    assert f'dependencies = ["jackfield{requires}"]' in project.read_text("utf-8")
    assert SpecifierSet(requires).contains(Version(version).public, prereleases=True)


@pytest.mark.parametrize("name", ["", "3d", "my_model", "a--b", "-a", "a-", "a.b", "a/b", "é", "a b", "jackfield-"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    """A name that could not be a distribution, a module and a component type is refused with the rule."""
    with pytest.raises(ConfigurationError, match="can't be a plugin's name; write letters, digits and single dashes"):
        check_name(name, ())


@pytest.mark.parametrize("name", ["parrot", "Parrot", "jackfield-parrot"])
def test_the_name_of_an_installed_plugin_is_refused(name: str) -> None:
    """Two plugins of one name would both not load, so the second is not written."""
    with pytest.raises(ConfigurationError, match="a plugin called 'parrot' is installed already; take another name"):
        check_name(name, ("openai", "Parrot"))


def test_the_names_of_this_project_s_plugins_are_refused() -> None:
    """Nobody starts a plugin whose distribution exists, installed here or not."""
    for folder in ROOT.glob("plugins/*/pyproject.toml"):
        name = folder.parent.name
        with pytest.raises(ConfigurationError, match=f"jackfield-{name} is a plugin of Jackfield's own project"):
            check_name(name, ())


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written into a folder that exists."""
    folder = tmp_path / "jackfield-parrot"
    folder.mkdir()
    with pytest.raises(ConfigurationError, match="jackfield-parrot exists already; take another name"):
        write_plugin("parrot", tmp_path)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    """A place where nothing can be written is told with the option to change."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigurationError, match="can't be written: Not a directory; choose a folder with --to"):
        write_plugin("parrot", tmp_path / "file")
