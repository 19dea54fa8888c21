"""The short form of the suite `plugins`."""

from __future__ import annotations

import pytest
from misbehaving import torture


@pytest.mark.timeout(180)
def test_plugins_that_misbehave_harm_nobody_else() -> None:
    """Whatever plugins raise, give, block, leak or end, every other request is answered, and each culprit is named."""
    figures = {figure.text: figure.value for figure in torture(seconds=0.1, seed=7, stick=False)}
    assert int(figures["requests to components that behave"].replace(",", "")) > 100
