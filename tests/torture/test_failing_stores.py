"""The short form of the suite `stores`."""

from __future__ import annotations

from failing_stores import torture


def test_a_store_that_fails_costs_no_request() -> None:
    """Through a killed server and one that says rubbish no request fails, each is told of once, and hits return."""
    figures = {figure.text: figure.value for figure in torture(seconds=0.1, seed=7, outages=("killed", "rubbish"))}
    assert figures["of them failed"] == "0"
    assert figures["outages"] == "2"
    assert int(figures["requests"].replace(",", "")) > 100
