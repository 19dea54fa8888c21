"""The providers' page, compared with the plugins."""

from __future__ import annotations

from provider_table import PAGE, written


def test_the_table_is_what_the_plugins_declare() -> None:
    """A type, model or limit that changes in a plugin changes in the page."""
    text = PAGE.read_text("utf-8")
    assert text == written(text), "run: python tests/support/provider_table.py"
