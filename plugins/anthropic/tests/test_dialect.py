"""What each model understands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from anthropic.types.model import Model

import jackfield_anthropic.defaults
from jackfield_anthropic import claude_dialect
from jackfield_anthropic.defaults import MODEL
from jackfield_anthropic.dialect import COMPATIBLE, FOUNDRY

KNOWN = [name for name in get_args(get_args(Model)[0]) if "preview" not in name]


@pytest.mark.parametrize(
    ("model", "rules"),
    [
        ("claude-fable-5-2", (True, None, False, False, True)),
        ("claude-fable-5", (True, None, True, False, True)),
        ("claude-mythos-5-1", (True, None, False, False, True)),
        ("claude-opus-5-5", (True, None, False, False, True)),
        ("claude-opus-5", (True, "disabled", True, False, True)),
        ("claude-opus-4-8", (False, "", True, False, True)),
        ("claude-opus-4-6", (False, "", True, True, True)),
        ("claude-sonnet-5-5", (True, "between_tools", False, False, True)),
        ("claude-sonnet-5", (True, "disabled", True, False, True)),
        ("claude-sonnet-4-6", (False, "", True, True, True)),
        ("claude-sonnet-4-5-20250929", (False, "", True, True, True)),
        ("claude-sonnet-4-20250514", (False, "", True, True, False)),
        ("claude-3-5-sonnet-20241022", (False, "", True, True, False)),
        ("claude-haiku-5-5", (True, "disabled", True, False, True)),
        ("claude-haiku-4-5-20251001", (False, "", True, True, True)),
        ("claude-opus-7", (True, None, False, False, True)),
    ],
)
def test_models(model: str, rules: tuple[object, ...]) -> None:
    """A model's rules are those of Anthropic's pages; one that is newer than all is taken to be like the newest.

    They are: whether it thinks unasked, what turns that off, and whether it can be forced to call a tool, takes
    sampling settings, and knows schemas.
    """
    dialect = claude_dialect(model)
    found = (dialect.thinks, dialect.off, dialect.forces_tools, dialect.samples, dialect.formats)
    assert found == rules


@pytest.mark.parametrize("model", KNOWN)
def test_known_models(model: str) -> None:
    """Every model that the official package names has rules of its own."""
    assert claude_dialect(model) not in (COMPATIBLE, FOUNDRY)


def test_deployments() -> None:
    """A deployment's name may hold the model's; where it doesn't, Foundry's common ground counts."""
    assert claude_dialect("Prod-Claude-Sonnet-5-5-EU", foundry=True) == claude_dialect("claude-sonnet-5-5")
    assert claude_dialect("our-deployment", foundry=True) is FOUNDRY
    assert claude_dialect("qwen3:8b") is COMPATIBLE


def test_default_model() -> None:
    """The default is a model that the official package knows, and it can be forced to call a tool."""
    assert MODEL in KNOWN
    assert claude_dialect(MODEL).forces_tools


def test_defaults_are_dated() -> None:
    """The place of the defaults says when they were checked."""
    text = Path(str(jackfield_anthropic.defaults.__file__)).read_text(encoding="utf-8")
    assert re.search(r"Checked on 20\d\d-\d\d-\d\d", text)
