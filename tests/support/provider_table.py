"""The table of docs/providers.md, from what the plugins of this repository declare; run it to write the page anew."""

from __future__ import annotations

from typing import Any

from markdown import ROOT

from jackfield import Conversation
from jackfield.manifests.names import fields_of
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.types import ComponentType
from jackfield.upstream import UpstreamConversation, UpstreamSettings

__all__ = ["PAGE", "provider_table", "written"]

PAGE = ROOT / "docs" / "providers.md"
_BEGIN, _END = "<!-- providers: begin -->\n", "<!-- providers: end -->\n"
_HEAD = "| type | plugin | key | model | endpoint | what it lacks |\n| --- | --- | --- | --- | --- | --- |\n"


def provider_table() -> str:
    """Write one row per conversation type that has a provider."""
    rows = [_row(kind) for kind in load_plugins().component_types() if _is_provider(kind)]
    return _HEAD + "".join(sorted(rows))


def written(page: str) -> str:
    """Return the page with the table as it has to be."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{provider_table()}\n{_END}{after}"


def _is_provider(kind: ComponentType) -> bool:
    return issubclass(kind.cls, Conversation) and kind.cls.has_provider


def _row(kind: ComponentType) -> str:
    cls = kind.cls
    assert issubclass(cls, Conversation)
    plugin = kind.plugin.removeprefix("jackfield-")
    cells = [f"`{kind.name}`", f"[{plugin}](../plugins/{plugin}/README.md)", _key(cls), _model(cls), _endpoint(cls)]
    cells.append("<br>".join(f"`{name}`: {reason}" for name, reason in cls.lacks.items()))
    return f"| {' | '.join(cells)} |\n"


def _key(cls: type[Conversation[Any]]) -> str:
    if not any(field.name == "key" for field in fields_of(cls.Settings)):
        return "credentials of AWS" if "accessKey" in {field.name for field in fields_of(cls.Settings)} else ""
    return "required" if issubclass(cls.Settings, UpstreamSettings) and cls.Settings.needs_key() else "optional"


def _model(cls: type[Conversation[Any]]) -> str:
    variables = [f"`{name}`" for name in getattr(cls, "model_variables", ())]
    default = [f"`{cls.default_model}`"] if cls.default_model else []
    return ", else ".join(variables + default)


def _endpoint(cls: type[Conversation[Any]]) -> str:
    if not issubclass(cls, UpstreamConversation):
        return ""
    variables = [f"`{name}`" for name in cls.endpoint_variables]
    default = [f"`{cls.default_endpoint}`"] if cls.default_endpoint else []
    return ", else ".join(variables + default)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
