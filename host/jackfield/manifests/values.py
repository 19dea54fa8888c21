"""Turn what stands in a manifest into what a settings field takes (contract sheet, section 4.3)."""

from __future__ import annotations

import json

from jackfield.manifests.names import SettingsField
from jackfield.manifests.scalars import JSON

__all__ = ["convert"]

_TRUE = {"y", "yes", "true", "t", "on", "1"}


def convert(value: JSON, field: SettingsField, *, forgiving: bool) -> JSON:
    """Convert a value for a field; what can't be converted is left for pydantic to refuse.

    Args:
        value: text, or the JSON of a list or object.
        field: what it is for.
        forgiving: true for settings that daprd has too: any text is a boolean, and a list is text if text is wanted.
    """
    if isinstance(value, str):
        if field.is_bool and forgiving:
            return value.strip().lower() in _TRUE
        if field.takes_structure and value.lstrip().startswith(("[", "{")):
            return _from_json(value)
    elif forgiving and field.takes_text and not field.takes_structure and value is not None:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def _from_json(text: str) -> JSON:
    try:
        value: JSON = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value
