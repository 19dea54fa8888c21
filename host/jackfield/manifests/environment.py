"""Which environment variables a manifest may read (contract sheet, sections 4.2 and 6)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["belongs_to_host", "refusal"]


def belongs_to_host(name: str) -> bool:
    """Tell whether a variable configures the host itself, so that no component may read it; compared in any case."""
    return name.upper() == "APP_API_TOKEN" or name.upper().startswith("DAPR_")


def refusal(name: str, environment: Mapping[str, str]) -> str:
    """Return why ``envRef`` may not read a variable; empty if it may.

    Args:
        name: the variable's name.
        environment: where ``DAPR_ENV_KEYS`` is: if set, only the names in it, parted by spaces, may be read.
    """
    if belongs_to_host(name):
        return f"the environment variable {name} is not for components"
    if " " in name:
        return f"{name!r} is no environment variable: there is a space in it"
    allowed = environment.get("DAPR_ENV_KEYS", "").split()
    if allowed and not {name, name.upper()} & set(allowed):
        return f"the environment variable {name} is not listed in DAPR_ENV_KEYS"
    return ""
