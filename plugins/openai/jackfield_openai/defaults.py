"""Every default that can go out of date, in one place.

Checked on 2026-11-23 against Dapr's own defaults (components-contrib c23900d2, ``conversation/models.go``) and OpenAI's
page of deprecations: Dapr's gpt-5-nano ends on 2026-12-11, and gpt-5.6-luna is what OpenAI names in its place. Azure's
default is the name of a deployment, which its owner chose and keeps whatever model stands behind it: it stays Dapr's.
"""

from __future__ import annotations

from typing import Final

__all__ = ["AZURE_MODEL", "OPENAI_ENDPOINT", "OPENAI_MODEL"]

OPENAI_MODEL: Final = "gpt-5.6-luna"
AZURE_MODEL: Final = "gpt-4.1-nano"
OPENAI_ENDPOINT: Final = "https://api.openai.com/v1"
