"""``jackfield plugins`` lists the plugins, ``jackfield install`` adds one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import distributions
from typing import Any

import click
from packaging.utils import canonicalize_name

from jackfield.cli.options import option
from jackfield.cli.plugin_options import load_chosen
from jackfield.cli.tables import table
from jackfield.errors import ConfigurationError
from jackfield.plugins.discovery import discover
from jackfield.plugins.installing import distribution_of, install_command, requirement_of, shown
from jackfield.plugins.integrity import check_files
from jackfield.plugins.options import parse_prefer
from jackfield.plugins.startup import Findings, site_folders

__all__ = ["install", "plugins"]

_HEAD = ("NAME", "VERSION", "DISTRIBUTION", "STATE", "HOST", "TYPES", "HOOKS", "PATH", "REASON")


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON: interpreter, plugins, clashes of types, notices.")
@click.option("--check", is_flag=True, help="Verify files first; exit with 1 if anything is wrong.")
@option("--plugins", "allow", help="Load only these plugins, with commas; empty for none.")
@option("--deny-plugins", "deny", help="Don't load these plugins, with commas.")
@option("--prefer", multiple=True, metavar="TYPE=PLUGIN", help="Take a component type from this plugin.")
def plugins(*, as_json: bool, check: bool, allow: str | None, deny: str | None, prefer: tuple[str, ...]) -> None:
    """List the plugins of this environment, those that don't work too, with the reason.

    Every plugin is loaded and all its hooks are asked, as `serve` would do with the same options. HOST is the range of
    jackfield versions that a plugin's distribution asks for, PATH where its code lies. A plugin that is missing here is
    installed for another Python than the one that is named first.

    With --check the files of the plugins and of jackfield itself are compared with what was installed before anything
    of them is imported, and if they aren't the same, nothing is.
    """
    files = check_files(distributions(), site_folders()) if check else None
    if files is not None and files.problems:
        click.echo(_unloaded(files, as_json=as_json))
        sys.exit(1)
    found = load_chosen(allow, deny)
    types = found.component_types(parse_prefer(prefer))
    found.observers()
    found.routes()
    # A failure is in its plugin's record already.
    left_out = [text for text in found.add_commands(click.Group()) if text.startswith("the command ")]
    listing = {
        "python": sys.executable,
        "plugins": [asdict(record) for record in found.records],
        "clashes": dict(types.clashes),
        "notices": [*found.notices, *left_out, *(files.notes if files is not None else ())],
    } | ({} if files is None else {"files": files.problems})
    click.echo(json.dumps(listing, indent=2) if as_json else _page(listing))
    if check and (types.clashes or any(record.at_fault for record in found.records)):
        sys.exit(1)


@click.command
@click.argument("name")
@click.option("--upgrade", "-U", is_flag=True, help="Take the newest version, even if the plugin is installed.")
@click.option("--editable", "-e", is_flag=True, help="For a path: changes of its files take effect at the next start.")
def install(*, name: str, upgrade: bool, editable: bool) -> None:
    """Install a plugin into this environment, and see whether it loads.

    NAME is `echo` or `jackfield-echo`, either with a version range as in 'echo>=0.1', a path, or a URL. Exits with 1 if
    the installation fails or the plugin does not load.
    """
    requirement = requirement_of(name)
    before = {(each.name, str(each)) for each in discover(distributions())}
    command = install_command(requirement, upgrade=upgrade, editable=editable)
    click.echo(f"Running: {shown(command)}")
    done = subprocess.run(command, check=False)  # noqa: S603  what it runs was just said
    if done.returncode:
        raise ConfigurationError(f"the installation failed (exit code {done.returncode}); the lines above say why")
    listing = _fresh_listing()
    distribution = distribution_of(requirement)
    wanted = [
        plugin
        for plugin in listing["plugins"]
        if canonicalize_name(plugin["distribution"]) == distribution
        or (distribution is None and (plugin["name"], f"{plugin['distribution']} {plugin['version']}") not in before)
    ]
    if not wanted and distribution is not None:
        raise ConfigurationError(f"{distribution} is installed, but it brings no entry point in the group 'jackfield'")
    names = {plugin["name"] for plugin in wanted}
    clashes = {name: text for name, text in listing["clashes"].items() if _touches(name, wanted)}
    click.echo(_page({"plugins": wanted or listing["plugins"], "clashes": clashes, "notices": []}))
    if any(plugin["state"] != "loaded" or plugin["reason"] for plugin in wanted):
        raise ConfigurationError(f"{', '.join(sorted(names))}: installed, but not working; see the reason above")


def _unloaded(files: Findings, *, as_json: bool) -> str:
    """What is told where no plugin may be loaded."""
    if as_json:
        listing = {"python": sys.executable, "plugins": [], "clashes": {}, "notices": files.notes}
        return json.dumps(listing | {"files": files.problems}, indent=2)
    return "\n".join([f"Python: {sys.executable}", *files.problems, *files.notes, "No plugin was loaded."])


def _touches(type_name: str, listed: Iterable[Mapping[str, Any]]) -> bool:
    return any(type_name in plugin["types"] for plugin in listed)


def _fresh_listing() -> dict[str, Any]:
    """What a new process finds: this one may hold modules of the version that was there before."""
    command = [sys.executable, "-P", "-m", "jackfield", "plugins", "--json"]
    listed = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own command
    if listed.returncode:
        raise ConfigurationError("installed, but `jackfield plugins` fails now; the lines above say why")
    listing: dict[str, Any] = json.loads(listed.stdout)
    return listing


def _page(listing: Mapping[str, Any]) -> str:
    """The table, then what concerns no single plugin."""
    rows = [
        (
            plugin["name"],
            plugin["version"],
            plugin["distribution"],
            plugin["state"],
            plugin["requires"] or "any",
            ",".join(plugin["types"]),
            ",".join(plugin["hooks"]),
            plugin["path"],
            plugin["reason"],
        )
        for plugin in listing["plugins"]
    ]
    lines = [f"Python: {listing['python']}"] if "python" in listing else []
    lines += table([_HEAD, *rows]) if rows else ["No plugins."]
    return "\n".join([*lines, *listing["clashes"].values(), *listing["notices"]])
