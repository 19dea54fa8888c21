"""``jackfield check`` finds what is wrong with manifests before a host does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote
from typing import Any

import click

from jackfield.checking import Checked, check_folders
from jackfield.cli.environment import read_environment
from jackfield.cli.options import flag
from jackfield.cli.plugin_options import load_chosen
from jackfield.cli.serve import serve
from jackfield.errors import ConfigurationError, Problem
from jackfield.manifests.configuration import Configuration, read_configuration
from jackfield.options import HostOptions
from jackfield.plugins.options import parse_prefer

__all__ = ["check"]

_SHARED = frozenset(
    {
        "folders",
        "configs",
        "ignore_unsupported_config",
        "app_id",
        "namespace",
        "env_file",
        "allow",
        "deny",
        "prefer",
    }
)


def _options_of_serve(command: click.Command) -> click.Command:
    """Take the options that decide what is loaded from ``serve``, so that both mean the same."""
    command.params[:0] = [parameter for parameter in serve.params if parameter.name in _SHARED]
    return command


@click.command()
@flag("--strict", help="A secret or variable that isn't set is an error, not a warning.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, strict: bool, as_json: bool, **given: Any) -> None:
    """Check the manifests of a folder without serving them.

    Prints everything that is wrong with them, each with file, line, field and what to do. Nothing is asked over a
    network and no model is loaded. Exits with 1 if there is an error.
    """
    logging.getLogger("jackfield").addHandler(logging.NullHandler())  # what the host would log is in the problems
    environment = read_environment(given["env_file"])
    plugins = load_chosen(given["allow"], given["deny"])
    for notice in plugins.notices:
        click.echo(f"jackfield: {notice}", err=True)
    configuration, refused = _configuration(given, environment)
    options = HostOptions(
        folders=given["folders"] or (Path("manifests"),),
        app_id=given["app_id"],
        namespace=given["namespace"],
        configuration=configuration,
        environment=environment,
    )
    types = plugins.component_types(parse_prefer(given["prefer"]))
    checked = asyncio.run(check_folders(options, types, plugins, strict=strict))
    checked = replace(checked, problems=(*refused, *(_helped(problem, options) for problem in checked.problems)))
    click.echo(json.dumps(_document(checked), indent=2, ensure_ascii=False) if as_json else _page(checked))
    if _count(checked.problems, "error"):
        raise click.exceptions.Exit(1)


def _configuration(given: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Configuration, list[Problem]]:
    """Read the Configuration; one that would stop ``serve`` is a problem like any other, and the rest goes on."""
    try:
        read = read_configuration(
            given["configs"], environment=environment, ignore_unsupported=given["ignore_unsupported_config"]
        )
    except ConfigurationError as error:
        return Configuration(), [Problem("--config", 0, "", str(error).removeprefix("--config: "))]
    return read, []


def _helped(problem: Problem, options: HostOptions) -> Problem:
    """Name the command that writes a first manifest where there is none."""
    folder = next((folder for folder in options.folders if str(folder) == problem.file), None)
    if folder is None or (folder.exists() and problem.severity == "error"):
        return problem
    command = "jackfield init" if folder == Path("manifests") else f"jackfield init --to {quote(str(folder))}"
    return replace(problem, fix=f"write a first one with `{command}`, or name another folder with --manifests")


def _count(problems: Iterable[Problem], severity: str) -> int:
    return sum(problem.severity == severity for problem in problems)


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "components": list(checked.components),
        "errors": _count(checked.problems, "error"),
        "warnings": _count(checked.problems, "warning"),
        "problems": [asdict(problem) | {"text": str(problem)} for problem in checked.problems],
    }


def _page(checked: Checked) -> str:
    counted = (
        (len(checked.components), "component"),
        (_count(checked.problems, "error"), "error"),
        (_count(checked.problems, "warning"), "warning"),
    )
    summary = ", ".join(f"{number} {noun}" if number == 1 else f"{number} {noun}s" for number, noun in counted)
    return "\n".join([*(f"{problem.severity}: {problem}" for problem in checked.problems), summary])


_options_of_serve(check)
