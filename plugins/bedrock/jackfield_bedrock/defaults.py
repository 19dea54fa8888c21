"""Every default that can go out of date, in one place.

Checked on 2026-11-23 against the model cards in Amazon Bedrock's user guide. Dapr's component has no default of its
own: its library falls back to ``amazon.titan-text-lite-v1``, which AWS has retired. Its successor in price and size is
Nova 2 Lite. The id is that of its global inference profile, as the model can't be called by its bare id, and a
regional profile (``us.``, ``eu.``) would tie the default to a part of the world.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BEDROCK_MODEL"]

BEDROCK_MODEL: Final = "global.amazon.nova-2-lite-v1:0"
