"""Look into built distributions, then install them into a fresh environment and check that every plugin loads."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path


def check_wheel(wheel: Path) -> None:
    """Check that a wheel holds one package, its type marker and its licence, and nothing else."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    package, info = sorted(tops, key=lambda top: top.endswith(".dist-info"))
    assert package.startswith("jackfield"), f"{wheel.name} holds {package}"
    assert info.endswith(".dist-info"), f"{wheel.name} holds {sorted(tops)}"
    assert f"{package}/py.typed" in names, f"{wheel.name} has no py.typed"
    assert any("licenses/LICENSE" in name for name in names), f"{wheel.name} has no licence"


def check_sdist(sdist: Path) -> None:
    """Check that a source distribution leaves out what is no part of it."""
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    stray = [name for name in names if name.startswith(("plugins/", "manifests/", ".git/", ".nox/", ".venv/"))]
    assert not stray, f"{sdist.name} holds {stray[:5]}"


def main(folder: Path) -> None:
    """Check everything in a folder of distributions."""
    wheels = sorted(folder.glob("*.whl"))
    for wheel in wheels:
        check_wheel(wheel)
    for sdist in sorted(folder.glob("*.tar.gz")):
        check_sdist(sdist)
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        python = Path(place) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wheels], check=True, cwd=place)
        listed = subprocess.run(
            [python, "-m", "jackfield", "plugins", "--json", "--check"],
            check=True,
            cwd=place,
            capture_output=True,
            text=True,
        )
    plugins = json.loads(listed.stdout)["plugins"]
    states = {plugin["name"]: plugin["state"] for plugin in plugins}
    expected = {path.name.split("-")[0].removeprefix("jackfield_") for path in wheels} - {"jackfield"}
    loaded = {name for name, state in states.items() if state == "loaded"}
    assert expected <= loaded, f"loaded are {states}, expected {expected}"
    sys.stdout.write(f"{len(wheels)} wheels, {len(loaded)} plugins loaded from them\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
