"""Hosts that several modules attack; each serves on Hypercorn and on uvicorn."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from running import RunningHost, component

from jackfield.logs import configure
from jackfield.serving.network import Network
from upstream import Upstream, running_upstream


@pytest.fixture(scope="session", params=["hypercorn", "uvicorn"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with the component ``echo``, impatient with bodies; no test changes it."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo"))
    with RunningHost(folder, Network(port=0, server=request.param), {"body_timeout": 1}) as running:
        yield running


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """A provider that repeats what it is asked, until a test has it answer as it likes."""
    with running_upstream() as server:
        yield server


@pytest.fixture
def written() -> Iterator[Callable[..., io.StringIO]]:
    """Begin a log, at its most talkative, as the host writes it; afterwards all is logged as before."""
    loggers = [logging.getLogger("jackfield"), logging.getLogger()]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]

    def begin(form: str = "text", app_id: str = "") -> io.StringIO:
        stream = io.StringIO()
        configure(level="debug", form=form, app_id=app_id, stream=stream)
        logging.getLogger().setLevel(logging.DEBUG)
        return stream

    yield begin
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
