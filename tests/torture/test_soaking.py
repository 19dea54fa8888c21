"""The suite `soak`, in short."""

from __future__ import annotations

from soaking import torture


def test_requests_of_every_kind() -> None:
    """Each reply is the one that must come, and no task, thread, socket or file is left.

    Caches and pools still fill within a few thousand requests, so the memory's own limit is `nox -s torture`'s.
    """
    found = torture(seconds=4, seed=4, requests=6_000, growth=25, patient=False)
    figures = {figure.text: figure.value for figure in found}
    assert int(figures["requests"].replace(",", "")) >= 500
