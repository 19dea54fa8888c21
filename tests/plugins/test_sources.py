"""Which code is edited in place, and where a plugin's code lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugin_site import Site

import jackfield
from jackfield.plugins.places import code_path
from jackfield.plugins.sources import Source, editable_sources


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A folder of installed distributions that is on the import path."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    return Site(path)


def test_what_is_installed_beside_its_metadata_is_not_editable(site: Site) -> None:
    """An ordinary installation is not watched: it changes by another installation alone."""
    site.install("plain")
    assert editable_sources(site.installed) == ()


def test_what_an_installer_notes_as_editable_is(site: Site) -> None:
    """``direct_url.json`` decides, wherever the code lies."""
    module = site.install("noted")
    noted = {"url": "file:///somewhere", "dir_info": {"editable": True}}
    (site.path / f"{module}-1.0.dist-info/direct_url.json").write_text(json.dumps(noted))
    assert editable_sources(site.installed) == (Source("jackfield-noted", site.path / f"{module}.py"),)


@pytest.mark.parametrize("noted", ["{", "[]", '{"dir_info": {}}', '{"dir_info": 1}', '{"dir_info": {"editable": 1}}'])
def test_metadata_that_says_nothing_of_it_is_no_obstacle(site: Site, noted: str) -> None:
    """Damaged notes count as none."""
    module = site.install("damaged")
    (site.path / f"{module}-1.0.dist-info/direct_url.json").write_text(noted)
    assert editable_sources(site.installed) == ()


def test_code_that_lies_elsewhere_than_its_metadata_is_editable(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of its own, as a ``.pth`` file gives it, is enough; a package is watched as a folder."""
    module = site.install("elsewhere")
    package = tmp_path / "project" / module
    package.mkdir(parents=True)
    (site.path / f"{module}.py").rename(package / "__init__.py")
    monkeypatch.syspath_prepend(str(package.parent))
    source = Source("jackfield-elsewhere", package.resolve())
    assert editable_sources(site.installed) == (source,)
    assert editable_sources(site.installed, allow=("elsewhere",)) == (source,)
    assert editable_sources(site.installed, allow=("other",)) == ()
    assert editable_sources(site.installed, deny=("jackfield-elsewhere",)) == ()


@pytest.mark.parametrize("module", ["", "no_such_module", "no_such_module.part", "sys"])
def test_a_module_without_a_place_has_none(module: str) -> None:
    """What isn't there, or isn't in a file, is no error."""
    assert code_path(module) is None


def test_a_module_s_place_is_found_without_importing_it(site: Site) -> None:
    """Code that would fail is located like any other."""
    module = site.install("failing", "raise SystemExit(1)")
    assert code_path(f"{module}.deeper") == site.path / f"{module}.py"
    assert code_path("jackfield") == Path(jackfield.__file__).parent
