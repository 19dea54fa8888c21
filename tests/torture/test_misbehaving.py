"""The short form of the suite `plugins`, and proof that its load finds what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from figures import BrokenPromiseError
from good_load import Failed, GoodLoad
from misbehaving import torture
from running import RunningHost, component


@pytest.mark.timeout(180)
def test_plugins_that_misbehave_harm_nobody_else() -> None:
    """Whatever plugins raise, give, block, leak or end, every other request is answered, and each culprit is named."""
    figures = {figure.text: figure.value for figure in torture(seconds=0.1, seed=7, stick=False)}
    assert int(figures["requests to components that behave"].replace(",", "")) > 100


def test_the_load_finds_another_reply(tmp_path: Path) -> None:
    """A reply that isn't the request's own, from the process that has the component, is a broken promise."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path) as host, GoodLoad(host.port, ("echo",), clients=1) as load:
        assert load.faulty.wait(20)
    with pytest.raises(BrokenPromiseError, match="'client-0-1' for client-0-1"):
        load.excuse(set())


@pytest.mark.parametrize(("broke", "pid", "excused"), [(True, 7, True), (True, 8, False), (False, 7, False)])
def test_only_a_killed_process_s_connections_are_excused(*, broke: bool, pid: int, excused: bool) -> None:
    """A connection that broke is excused if its own process was killed; a wrong reply never is."""
    load = GoodLoad(0, (), failed=[Failed("cut", broke, pid)])
    if excused:
        assert load.excuse({7}) == 1
    else:
        with pytest.raises(BrokenPromiseError):
            load.excuse({7})
