"""``jackfield new-plugin`` writes a plugin to start from."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path
from shlex import quote

import click

from jackfield.plugins.discovery import discover
from jackfield.plugins.scaffold import check_name, write_plugin

__all__ = ["new_plugin"]


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    metavar="DIR",
    help="Where to make the plugin's folder.",
)
def new_plugin(*, name: str, to: Path) -> None:
    """Write a plugin that runs at once, in a new folder jackfield-NAME.

    It is a distribution of its own with a provider of the type conversation.NAME, a README, tests that use the
    conformance kit, and a workflow that publishes it to PyPI.
    """
    taken = [candidate.name for candidate in discover(distributions())]
    files = write_plugin(check_name(name, taken), to)
    for file in files:
        click.echo(f"wrote {file}")
    folder = quote(str(files[0].parent.absolute()))
    click.echo(f"\nTry it:\n  jackfield install --editable {folder}\n  jackfield serve --dev")
