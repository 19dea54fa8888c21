"""The suite `reload`, in short."""

from __future__ import annotations

from reloading import torture


def test_edits_of_every_kind_under_load() -> None:
    """No request fails, no bad edit is effective, each valid one is, and nothing is left of those before.

    The limits of time and memory are those of a machine that has much else to do; `nox -s torture` has the docs' own.
    """
    figures = {figure.text: figure.value for figure in torture(seconds=6, seed=4, lanes=2, limit=5, growth=50)}
    assert int(figures["edits"].replace(",", "")) >= 40
