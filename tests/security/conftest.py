"""Hosts that several modules attack; each serves on Hypercorn and on uvicorn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running import RunningHost, component

from jackfield.serving.network import Network


@pytest.fixture(scope="session", params=["hypercorn", "uvicorn"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with the component ``echo``, impatient with bodies; no test changes it."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo"))
    with RunningHost(folder, Network(port=0, server=request.param), {"body_timeout": 0.3}) as running:
        yield running
