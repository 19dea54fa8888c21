"""Which model takes what."""

from __future__ import annotations

import pytest

from jackfield_openai import openai_dialect
from jackfield_openai.dialect import older_azure


@pytest.mark.parametrize(
    ("model", "takes_temperature"),
    [
        ("gpt-4.1-nano", True),
        ("gpt-4o", True),
        ("gpt-5", False),
        ("gpt-5-nano", False),
        ("gpt-5-mini-2025-08-07", False),
        ("gpt-5-chat-latest", True),
        ("gpt-5.2", True),
        ("gpt-5.2-chat-latest", False),
        ("gpt-5.4-nano", True),
        ("gpt-5.6-luna", False),
        ("gpt-6.1-sol", False),
        ("o1", False),
        ("o1-mini", False),
        ("o3", False),
        ("o3-mini-2025-01-31", False),
        ("o4-mini", False),
        ("ours-of-1999", True),
    ],
)
def test_temperature(model: str, takes_temperature: bool) -> None:
    """What reasons by itself refuses a temperature, unless told not to; every other model may be sent one."""
    assert ("temperature" not in openai_dialect(model).refused) is takes_temperature
    assert "temperature" not in openai_dialect(model, "none").refused


@pytest.mark.parametrize(
    ("api_version", "field", "stream_usage"),
    [
        ("2024-02-01", "max_tokens", False),
        ("2024-09-01-preview", "max_completion_tokens", True),
        ("2024-10-21", "max_completion_tokens", True),
        ("preview", "max_completion_tokens", True),
    ],
)
def test_older_azure(api_version: str, field: str, stream_usage: bool) -> None:
    """Azure's API before 2024-09-01-preview gets the older names only."""
    dialect = older_azure(openai_dialect("gpt-4.1"), api_version)
    assert (dialect.max_tokens_field, dialect.stream_usage) == (field, stream_usage)
