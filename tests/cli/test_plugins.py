"""``jackfield plugins`` and ``jackfield install``, run as processes against real distributions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from plugin_site import Site

from jackfield.errors import ConfigurationError
from jackfield.plugins.installing import distribution_of, install_command, requirement_of, shown

HAVE_UV = (
    shutil.which("uv", path=os.environ.get("PATH", "") + os.pathsep + str(Path(sys.executable).parent)) is not None
)
INSTALLERS = [name for name, present in (("pip", find_spec("pip") is not None), ("uv", HAVE_UV)) if present]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder of distributions, for a process of its own."""
    path = tmp_path / "site"
    path.mkdir()
    return Site(path)


def jackfield(*args: str, site: Site, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a site on its import path, and see that it exits as expected."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JACKFIELD_")}
    environment |= {"PYTHONPATH": str(site.path), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    command = [sys.executable, "-P", "-m", "jackfield", *args]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def mixed(site: Site) -> Site:
    """A site with a plugin of each state."""
    site.install("good")
    site.install("exits", "print('hello')\nraise SystemExit(7)")
    site.install("old", requires=("jackfield<0.1",))
    site.install("sdk", "import no_such_sdk")
    return site


ALLOWED = "exits,good,old,sdk"


def test_the_table_lines_up_and_tells_each_state(mixed: Site) -> None:
    """The plain listing has one aligned line per plugin, with version, state, range, types, hooks and reason."""
    done = jackfield("plugins", "--plugins", ALLOWED, site=mixed)
    python, head, *lines = done.stdout.splitlines()
    assert python == f"Python: {sys.executable}"
    lines = [line for line in lines if line.split()[0] in ALLOWED.split(",")]
    assert head.split() == ["NAME", "VERSION", "DISTRIBUTION", "STATE", "HOST", "TYPES", "HOOKS", "PATH", "REASON"]
    columns = [head.index(name) for name in head.split()]
    cells = [
        [line[start:end].strip() for start, end in zip(columns, [*columns[1:], None], strict=True)] for line in lines
    ]
    assert [row[:4] for row in cells] == [
        ["exits", "1.0", "jackfield-exits", "failed"],
        ["good", "1.0", "jackfield-good", "loaded"],
        ["old", "1.0", "jackfield-old", "incompatible"],
        ["sdk", "1.0", "jackfield-sdk", "skipped"],
    ]
    assert [row[7] for row in cells] == [str(mixed.path / f"jackfield_{row[0]}.py") for row in cells]
    assert cells[0][8] == "SystemExit: 7 (site/jackfield_exits.py:2)"
    assert cells[1][4:7] == ["any", "conversation.good", "register_components"]
    assert cells[1][8] == ""
    assert cells[2][4] == "<0.1"
    assert cells[3][8] == "needs the module no_such_sdk; install the package that has it"


def test_the_json_listing_has_every_fact(mixed: Site) -> None:
    """The JSON listing holds the records, and what a plugin printed is not in it."""
    done = jackfield("plugins", "--json", "--plugins", ALLOWED + ",nobody", site=mixed)
    listing = json.loads(done.stdout)
    assert next(plugin for plugin in listing["plugins"] if plugin["name"] == "good") == {
        "name": "good",
        "distribution": "jackfield-good",
        "version": "1.0",
        "requires": "",
        "state": "loaded",
        "reason": "",
        "hooks": ["register_components"],
        "types": ["conversation.good"],
        "path": str(mixed.path / "jackfield_good.py"),
        "module": "jackfield_good",
    }
    assert listing["python"] == sys.executable
    assert listing["clashes"] == {}
    assert listing["notices"] == ["--plugins names 'nobody', and no installed plugin is called that"]
    assert done.stderr == "hello\n"


@pytest.mark.parametrize(
    ("allow", "deny", "code"),
    [
        ("good", "", 0),
        ("good,sdk", "", 0),
        ("good,exits", "", 1),
        ("good,old", "", 1),
        ("good,exits", "exits", 0),
    ],
)
def test_check_fails_for_failed_and_incompatible_plugins(mixed: Site, allow: str, deny: str, code: int) -> None:
    """With --check the exit code is 1 for a plugin that is failed or incompatible, not for one blocked or skipped.

    As JSON it says too that the files are in order, under the name by which it tells those that are not.
    """
    done = jackfield("plugins", "--check", "--json", "--plugins", allow, "--deny-plugins", deny, site=mixed, code=code)
    assert json.loads(done.stdout)["files"] == []


def test_the_variables_choose_as_the_options_do(mixed: Site) -> None:
    """JACKFIELD_PLUGINS and JACKFIELD_DENY_PLUGINS do what the options do; an empty allow list allows none."""

    def loaded(*args: str, **variables: Any) -> set[str]:
        listing = json.loads(jackfield("plugins", "--json", *args, site=mixed, **variables).stdout)
        named = [plugin for plugin in listing["plugins"] if not plugin["name"].startswith("builtin.")]
        return {plugin["name"] for plugin in named if plugin["state"] != "blocked"}

    assert loaded(JACKFIELD_PLUGINS="good,sdk", JACKFIELD_DENY_PLUGINS="sdk") == {"good"}
    assert loaded(JACKFIELD_PLUGINS="") == set()
    assert loaded("--plugins", "good", JACKFIELD_PLUGINS="") == {"good"}
    assert loaded("--plugins", "") == set()


def test_a_clash_of_types_is_told_and_prefer_settles_it(site: Site) -> None:
    """Two plugins with one type are named with the option that picks one, which then ends the complaint."""
    for name in ("one", "two"):
        source = dedent("""
            from jackfield import Conversation, hookimpl
            class P(Conversation):
                async def converse(self, request): ...
            @hookimpl
            def register_components(register):
                register.conversation("conversation.same", P)
        """)
        site.install(name, source)
    done = jackfield("plugins", "--check", "--plugins", "one,two", site=site, code=1)
    text = "conversation.same is registered by the plugins one and two, so neither is used; pick one with --prefer"
    assert text in done.stdout
    done = jackfield("plugins", "--check", "--plugins", "one,two", "--prefer", "conversation.same=two", site=site)
    assert "--prefer" not in done.stdout


def test_a_commands_failure_is_a_fault_too(site: Site) -> None:
    """The listing asks every hook, so that a fault in any of them shows before it hurts."""
    site.install("cmd", "from jackfield import hookimpl\n@hookimpl\ndef register_commands(cli): 1 / 0\n")
    done = jackfield("plugins", "--check", "--plugins", "cmd", site=site, code=1)
    assert "register_commands: ZeroDivisionError: division by zero (site/jackfield_cmd.py:3)" in done.stdout


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("echo", "jackfield-echo"),
        ("jackfield-echo", "jackfield-echo"),
        ("Jackfield_Echo", "Jackfield_Echo"),
        ("my-ai[extra]>=1,<2", "jackfield-my-ai[extra]>=1,<2"),
        ("jackfield-my-ai==1.0", "jackfield-my-ai==1.0"),
        ("./no/such/folder", "./no/such/folder"),
        ("some.whl", "some.whl"),
        ("git+https://example.com/x.git", "git+https://example.com/x.git"),
        ("acme @ https://example.com/x.zip", "acme @ https://example.com/x.zip"),
    ],
)
def test_a_name_gets_the_prefix_and_a_place_stays(name: str, requirement: str) -> None:
    """A bare name never fetches an unrelated package of that name; paths, archives and URLs are passed on."""
    assert requirement_of(name) == requirement


def test_an_existing_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is installed from wherever the command runs; a name is a name though a folder has it too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins" / "echo").mkdir(parents=True)
    (tmp_path / "echo").mkdir()
    assert requirement_of("plugins/echo") == str(tmp_path / "plugins" / "echo")
    assert requirement_of("echo") == "jackfield-echo"


@pytest.mark.parametrize("name", ["", "-r", "--index-url=x", "a b", "echo>>1"])
def test_what_is_no_plugin_is_refused(name: str) -> None:
    """An argument that would be an option to the installer, or nothing at all, is refused."""
    with pytest.raises(ConfigurationError, match="names no plugin; write a name such as echo"):
        requirement_of(name)


def test_the_distribution_of_a_place_is_read_from_it(tmp_path: Path) -> None:
    """A folder is asked for its project's name, an archive for its own; a URL is anybody's guess."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "Jackfield_Mine"\n', "utf-8")
    assert distribution_of(str(tmp_path)) == "jackfield-mine"
    assert distribution_of("/x/jackfield_mine-1.0-py3-none-any.whl") == "jackfield-mine"
    assert distribution_of("/x/jackfield_mine-1.0.tar.gz") == "jackfield-mine"
    assert distribution_of("jackfield-mine>=1") == "jackfield-mine"
    assert distribution_of("git+https://example.com/x.git") is None
    assert distribution_of("/x/nonsense.whl") is None


def test_a_shown_command_masks_the_password_of_a_url() -> None:
    """What is printed before it runs can be pasted into a shell, and shows no password."""
    command = ["pip", "install", "git+https://user:hunter2@example.com/x.git", "a b"]
    assert shown(command) == "pip install git+https://***@example.com/x.git 'a b'"


def test_without_pip_and_uv_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that can't install says how it could."""
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match=r"neither pip nor uv is here to install with; .* -m ensurepip"):
        install_command("jackfield-echo")


@pytest.mark.parametrize("options", [{"upgrade": True}, {"editable": True}])
def test_options_reach_the_installer(options: dict[str, bool]) -> None:
    """--upgrade and --editable are handed on, before the requirement."""
    (option,) = options
    assert install_command("jackfield-echo", **options)[-2:] == [f"--{option}", "jackfield-echo"]


class Environment:
    """A virtual environment that sees this one's packages and takes new ones for itself."""

    def __init__(self, path: Path, installer: str) -> None:
        venv.create(path, symlinks=True)
        self.python = path / "bin" / "python"
        (self.purelib,) = path.glob("lib/python*/site-packages")
        seen = sysconfig.get_path("purelib")
        (self.purelib / "seen.pth").write_text(f"import site; site.addsitedir({seen!r})\n", "utf-8")
        self.hidden = "" if installer == "pip" else "sys.modules['pip'] = None; "

    def install(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run ``jackfield install``, without a network."""
        code = f"import sys; {self.hidden}from jackfield.cli import main; sys.argv[0] = 'jackfield'; main()"
        offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_CACHE_DIR": str(self.purelib / "cache")}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JACKFIELD_")} | offline
        command = [str(self.python), "-P", "-c", code, "install", *args]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=50)


@pytest.fixture(params=INSTALLERS)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Environment:
    """An environment for each installer that this machine has."""
    return Environment(tmp_path / "venv", request.param)


def test_an_installed_plugin_is_shown_as_loaded(environment: Environment, site: Site, tmp_path: Path) -> None:
    """The command says what it runs, installs, and shows the plugin as a fresh process finds it."""
    site.install("new", requires=())
    wheel = site.wheel(tmp_path)
    done = environment.install(str(wheel))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Running: ")
    assert str(wheel) in done.stdout.splitlines()[0]
    assert (environment.purelib / "jackfield_new.py").is_file()
    row = done.stdout.splitlines()[-1].split()
    expected = ["new", "1.0", "jackfield-new", "loaded", "any", "conversation.new", "register_components"]
    assert row == [*expected, str(environment.purelib / "jackfield_new.py")]
    again = environment.install("new")
    assert (again.returncode, again.stdout.splitlines()[-1].split()) == (0, row)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"source": "raise SystemExit(1)"}, "bad: installed, but not working; see the reason above"),
        (
            {"entry_points": "[other]\nbad = x\n"},
            "jackfield-bad is installed, but it brings no entry point in the group 'jackfield'",
        ),
    ],
)
def test_a_plugin_that_does_not_load_is_a_failure(
    environment: Environment, site: Site, tmp_path: Path, written: dict[str, str], message: str
) -> None:
    """Exit code 1 if what was installed is no working plugin, with the reason."""
    site.install("bad", requires=(), **written)  # type: ignore[arg-type]
    done = environment.install(str(site.wheel(tmp_path)))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"jackfield: {message}"


def test_a_failed_installation_is_a_failure(environment: Environment, tmp_path: Path) -> None:
    """Exit code 1 if the installer fails, after its own words."""
    done = environment.install(str(tmp_path / "jackfield_none-1.0-py3-none-any.whl"))
    assert done.returncode == 1
    assert "jackfield: the installation failed (exit code " in done.stderr
    assert "Traceback" not in done.stderr
