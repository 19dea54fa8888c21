"""The short form of the suite `stores`, and proof that its load finds what is wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from cached_load import CachedLoad
from failing_stores import torture
from running import RunningHost, component
from scripted import streaming_plugin

from jackfield import ConversationRequest, Delta, Event, Finish, TextPart


@pytest.mark.timeout(180)
def test_a_store_that_fails_costs_no_request() -> None:
    """Through a killed server and one that says rubbish no request fails, each is told of once, and hits return.

    The limit of time is that of a machine that has much else to do; `nox -s torture` has the docs' own.
    """
    found = torture(seconds=0.1, seed=7, outages=("killed", "rubbish"), limit=15)
    figures = {figure.text: figure.value for figure in found}
    assert figures["outages"] == "2"
    assert int(figures["requests"].replace(",", "")) > 100


async def other(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    """Say something else than was asked."""
    yield Delta(TextPart("another's"))
    yield Finish("stop")


@pytest.mark.parametrize(("name", "failed"), [("other", "200 .*another's"), ("nobody", "400 .*nobody")])
def test_the_load_finds_another_reply(tmp_path: Path, name: str, failed: str) -> None:
    """A reply with another text or another status is a failure, and told with what was asked."""
    (tmp_path / "other.yaml").write_text(component("other", "conversation.other"))
    with (
        RunningHost(tmp_path, plugins=[streaming_plugin(other=other)]) as host,
        CachedLoad((host.port,), name, clients=1) as load,
    ):
        assert load.faulty.wait(20)
    assert load.failed[0].startswith("'question 7': ")
    assert re.search(failed, load.failed[0])
