"""``jackfield schema`` prints what an editor needs to help with manifests."""

from __future__ import annotations

import json
from pathlib import Path

import click

from jackfield.catalog.examine import settings_classes
from jackfield.cli.options import option
from jackfield.cli.plugin_options import load_chosen
from jackfield.errors import ConfigurationError
from jackfield.manifests.schema import manifest_schema
from jackfield.manifests.spelling import nearest
from jackfield.plugins.options import parse_prefer
from jackfield.plugins.types import ComponentType, ComponentTypes

__all__ = ["schema"]


@click.command()
@click.option("--type", "type_name", metavar="TYPE", help="Only this component type, such as conversation.openai.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to this file.")
@option("--plugins", "allow", help="Load only these plugins, with commas; empty for none.")
@option("--deny-plugins", "deny", help="Don't load these plugins, with commas.")
@option("--prefer", multiple=True, metavar="TYPE=PLUGIN", help="Take a component type from this plugin.")
def schema(
    *, type_name: str | None, out: Path | None, allow: str | None, deny: str | None, prefer: tuple[str, ...]
) -> None:
    """Print the JSON Schema of manifests, for editors.

    It describes the component types of the installed plugins, so write it again after you have installed one:

    jackfield schema --out manifests/.schema.json

    Editors with yaml-language-server (VS Code's YAML extension, Neovim, Helix and more) take it from a line in a
    manifest:

    # yaml-language-server: $schema=.schema.json
    """
    plugins = load_chosen(allow, deny)
    types = plugins.component_types(parse_prefer(prefer))
    chosen = types if type_name is None else [_find(types, type_name)]
    text = json.dumps(manifest_schema({kind.name: settings_classes(kind) for kind in chosen}), indent=2)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise ConfigurationError(f"--out: {out} can't be written ({error.strerror})") from None
    click.echo(f"wrote {out}")


def _find(types: ComponentTypes, type_name: str) -> ComponentType:
    found = types.find(type_name)
    if found is not None:
        return found
    cause = types.clash(type_name) or types.hint(type_name) or f"--type: there is no component type {type_name}"
    near = nearest(type_name.lower(), types.names)
    fix = f"did you mean {near}?" if near else f"known are {', '.join(types.names)}"
    raise ConfigurationError(f"{cause}; {fix}")
