"""The suite `soak`, in short, and proof that it tells one reply from another."""

from __future__ import annotations

import pytest
from raw_client import Answer
from soak_requests import FIRST, Kind
from soaking import torture


@pytest.mark.timeout(180)
def test_requests_of_every_kind() -> None:
    """Each reply is the one that must come, and no task, thread, socket or file is left.

    Caches and pools still fill within a few thousand requests, so the memory's own limit is `nox -s torture`'s.
    """
    found = torture(seconds=4, seed=4, requests=6_000, growth=25, patient=False)
    figures = {figure.text: figure.value for figure in found}
    assert int(figures["requests"].replace(",", "")) >= 500


@pytest.mark.parametrize(
    ("status", "body", "right"),
    [
        pytest.param(200, b'{"id":"b","said":"question 1000001"}', True, id="another id"),
        pytest.param(200, b'{"id":"b","said":"question 1000002"}', False, id="another's reply"),
        pytest.param(200, b'{"id":"b","said":"question 1000001"', False, id="cut"),
        pytest.param(500, b'{"id":"b","said":"question 1000001"}', False, id="another status"),
    ],
)
def test_a_reply_is_its_own_requests(status: int, body: bytes, right: bool) -> None:
    """A reply is right if it differs from the first one in number and ids alone."""
    kind = Kind("said", 1000, b"question 7777777")
    assert kind.learn(Answer(200, b"", b'{"id":"a","said":"question 1000000"}'), FIRST) == ""
    assert (kind.wrong(Answer(status, b"", body), FIRST + 1) == "") is right


def test_a_first_reply_without_its_number_is_wrong() -> None:
    """The form that later replies are compared with is not taken from any reply."""
    kind = Kind("said", 1000, b"question 7777777")
    assert "200" in kind.learn(Answer(200, b"", b'{"said":"hello"}'), FIRST)
