"""The group of subcommands. A command's module is imported when the command is run, and plugins are asked only then."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from jackfield.version import __version__

__all__ = ["cli"]

_COMMANDS = {
    "check": "jackfield.cli.check:check",
    "components": "jackfield.cli.components:components",
    "converse": "jackfield.cli.converse:converse",
    "init": "jackfield.cli.init:init",
    "install": "jackfield.cli.plugins:install",
    "new-plugin": "jackfield.cli.new_plugin:new_plugin",
    "plugins": "jackfield.cli.plugins:plugins",
    "schema": "jackfield.cli.schema:schema",
    "serve": "jackfield.cli.serve:serve",
}


class _Group(click.Group):
    """Finds the host's own commands by name, and those of plugins where the name is no other."""

    _asked = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._ask_plugins()
        return sorted({*_COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is not None:
            module, _, attribute = place.partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return command
        self._ask_plugins()
        return super().get_command(ctx, cmd_name)

    def _ask_plugins(self) -> None:
        if self._asked:
            return
        self._asked = True
        from jackfield.cli.plugin_options import load_chosen

        plugins = load_chosen()
        for complaint in plugins.add_commands(self):
            click.echo(f"jackfield: {complaint}", err=True)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message} Run jackfield --help for all commands.", ctx) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="jackfield")
def cli(**_: Any) -> None:
    """Jackfield: a plugin-based conversation component host.

    Drop component manifests into a folder, and Dapr's Conversation API answers through them.
    """
