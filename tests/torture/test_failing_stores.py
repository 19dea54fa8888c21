"""The short form of the suite `stores`."""

from __future__ import annotations

import pytest
from failing_stores import torture


@pytest.mark.timeout(180)
def test_a_store_that_fails_costs_no_request() -> None:
    """Through a killed server and one that says rubbish no request fails, each is told of once, and hits return.

    The limit of time is that of a machine that has much else to do; `nox -s torture` has the docs' own.
    """
    found = torture(seconds=0.1, seed=7, outages=("killed", "rubbish"), limit=15)
    figures = {figure.text: figure.value for figure in found}
    assert figures["outages"] == "2"
    assert int(figures["requests"].replace(",", "")) > 100
