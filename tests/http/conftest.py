"""Hosts that several modules ask; each serves on Hypercorn and on uvicorn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running import RunningHost, component

from jackfield.serving.network import Network


@pytest.fixture(scope="session", params=["hypercorn", "uvicorn"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with the echo components ``echo`` and ``a b``; no test changes it."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo") + "---\n" + component("a b"))
    with RunningHost(folder, Network(port=0, server=request.param)) as running:
        yield running
