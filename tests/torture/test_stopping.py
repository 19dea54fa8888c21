"""The short form of the suite: stops of two forms and a killed worker, under load."""

from __future__ import annotations

import pytest
import stopping


@pytest.mark.timeout(180)  # seconds where a machine is idle; it starts five processes and loads them
def test_stops_and_kills_under_load_lose_nothing() -> None:
    """Every accepted request is answered, the process ends in time with code 0, and nothing of it is left."""
    figures = {figure.text: figure.value for figure in stopping.torture(seconds=10, seed=5)}
    assert figures["stops under load"] == "2"
    assert int(figures["requests answered"].replace(",", "")) > 50
    assert figures["workers of three killed"] == "1"
