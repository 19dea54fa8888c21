"""Searches that draw the same examples in every run, whatever else has been imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis.internal.conjecture import providers

__all__ = ["repeatable"]


@contextmanager
def repeatable() -> Iterator[None]:
    """Keep Hypothesis from drawing the constants that stand in the modules which happen to be loaded.

    A seed or ``derandomize`` alone doesn't fix the examples: one draw in twenty is a literal of some local module, and
    which are loaded depends on the tests that ran before. There is no setting for it; where a later release of
    Hypothesis has these names no longer, nothing is patched.
    """
    with pytest.MonkeyPatch.context() as patch:
        none: object = getattr(providers, "Constants", dict)()
        patch.setattr(providers, "_get_local_constants", lambda: none, raising=False)
        patch.setattr(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024), raising=False)
        yield
