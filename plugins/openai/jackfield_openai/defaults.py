"""Every default that can go out of date, in one place.

Checked on 2026-08-21 against Dapr's own defaults (components-contrib c23900d2, ``conversation/models.go``) and OpenAI's
list of models. A default that OpenAI retires is replaced here and nowhere else.
"""

from __future__ import annotations

from typing import Final

__all__ = ["AZURE_MODEL", "OPENAI_ENDPOINT", "OPENAI_MODEL"]

OPENAI_MODEL: Final = "gpt-5-nano"
AZURE_MODEL: Final = "gpt-4.1-nano"
OPENAI_ENDPOINT: Final = "https://api.openai.com/v1"
