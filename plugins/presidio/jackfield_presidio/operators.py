"""What stands in place of what was found."""

from __future__ import annotations

import hashlib
import hmac

from jackfield_presidio.settings import PresidioSettings

__all__ = ["Replacements"]


class Replacements:
    """Gives the replacement of a finding, as the settings' operators say."""

    def __init__(self, settings: PresidioSettings) -> None:
        self._operators = settings.operators
        self._key = settings.hash_key.get_secret_value().encode()

    def replacement(self, entity: str, text: str) -> str | None:
        """Return what stands in place of ``text``; None for the label."""
        operator = self._operators.get(entity)
        if operator is None:
            return None
        if operator.type == "replace":
            return operator.text
        if operator.type == "mask":
            hidden = max(len(text) - operator.keep_last, (len(text) + 1) // 2)
            return operator.character * hidden + text[hidden:]
        digest = hmac.new(self._key, f"{entity}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"<{entity}:{digest.hexdigest()[: operator.length]}>"
