"""Look into built distributions, then install them into a fresh environment and check that every plugin loads."""

from __future__ import annotations

import email
import json
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

from packaging.requirements import Requirement


def check_wheel(wheel: Path) -> None:
    """Check that a wheel holds one package, its type marker and its licence, and nothing else."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    package, info = sorted(tops, key=lambda top: top.endswith(".dist-info"))
    assert package.startswith("jackfield"), f"{wheel.name} holds {package}"
    assert info.endswith(".dist-info"), f"{wheel.name} holds {sorted(tops)}"
    assert f"{package}/py.typed" in names, f"{wheel.name} has no py.typed"
    assert any("licenses/LICENSE" in name for name in names), f"{wheel.name} has no licence"


def check_metadata(wheel: Path) -> None:
    """Check that a wheel says what an index shows, and which hosts it works with."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
        entries = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        entry_points = archive.read(entries[0]).decode() if entries else ""
    for field in ("Summary", "License-Expression", "Requires-Python", "Description-Content-Type"):
        assert metadata[field], f"{wheel.name} has no {field}"
    assert metadata.get_payload(), f"{wheel.name} has no description: is its README named?"
    assert "Typing :: Typed" in metadata.get_all("Classifier", []), f"{wheel.name} doesn't say that it is typed"
    needs = [Requirement(need) for need in metadata.get_all("Requires-Dist", [])]
    unbounded = [str(need) for need in needs if "<" not in str(need.specifier) and "==" not in str(need.specifier)]
    assert not unbounded, f"{wheel.name} has no upper bound for {unbounded}"
    if metadata["Name"] == "jackfield":
        return
    assert "jackfield-plugin" in (metadata["Keywords"] or "").split(","), f"{wheel.name} lacks the keyword"
    assert any(need.name == "jackfield" for need in needs), f"{wheel.name} doesn't say which hosts it works with"
    assert "[jackfield]" in entry_points, f"{wheel.name} has no entry point in the group jackfield"


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
        check_metadata(wheel)
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
    names = {path.name.split("-")[0].removeprefix("jackfield_").replace("_", "-") for path in wheels}
    expected = names - {"jackfield"}
    loaded = {name for name, state in states.items() if state == "loaded"}
    assert expected <= loaded, f"loaded are {states}, expected {expected}"
    sys.stdout.write(f"{len(wheels)} wheels, {len(loaded)} plugins loaded from them\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
