"""What the tests of plugin loading share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_site import Site, site_on_path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A folder on the import path; what is imported from it is forgotten afterwards."""
    with site_on_path(tmp_path / "site", monkeypatch) as site:
        yield site
