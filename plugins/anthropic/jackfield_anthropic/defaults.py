"""Every default that can go out of date, in one place.

Checked on 2026-11-23 against Dapr's own defaults (components-contrib c23900d2, ``conversation/models.go``), the models
that Anthropic's package 2.12.0 names, and Anthropic's page of model retirements. Dapr's model, claude-sonnet-4, was
retired on 2026-06-15. Its successor here is the newest Sonnet that can still be forced to call a tool, which Dapr's
apps rely on; it stays until 2027-06-30 at least. A default that Anthropic retires is replaced here and nowhere else.
"""

from __future__ import annotations

from typing import Final

__all__ = ["API_VERSION", "ENDPOINT", "MAX_TOKENS", "MAX_TOKENS_THINKING", "MODEL"]

MODEL: Final = "claude-sonnet-5"
ENDPOINT: Final = "https://api.anthropic.com/v1"

API_VERSION: Final = "2023-06-01"
"""The version of the API; the next one, 2026-10-21, takes no sampling settings from any model."""

MAX_TOKENS: Final = 2048
"""The longest reply where nobody sets one, as in Dapr; the API insists on a limit."""

MAX_TOKENS_THINKING: Final = 16384
"""The same for a model that thinks: thinking counts towards the limit, and 2048 would leave no room for a reply."""
