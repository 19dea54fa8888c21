"""The page on the command line, compared with click's own list of options."""

from __future__ import annotations

import re

import click
import pytest
from markdown import page

from jackfield.cli.daprd import IGNORED_FLAGS, IGNORED_OPTIONS
from jackfield.cli.group import cli

CLI = page("docs/operators/cli.md")
CONTEXT = click.Context(cli)
COMMANDS = cli.list_commands(CONTEXT)
CODE = re.compile(r"`([^`]+)`")


def command(name: str) -> click.Command:
    """Return a command, the host's own or a plugin's of this repository."""
    found = cli.get_command(CONTEXT, name)
    assert found is not None
    return found


def options(name: str, *, hidden: bool = False) -> list[click.Option]:
    """Return a command's options, those that --help shows or the others."""
    return [
        parameter
        for parameter in command(name).params
        if isinstance(parameter, click.Option) and parameter.hidden is hidden
    ]


def rows(name: str) -> list[list[str]]:
    """Return the rows of a command's table of options."""
    return [row for row in CLI.table(f"jackfield {name}") if row[0].startswith("`-")]


def variables(option: click.Option) -> list[str]:
    """Return the variables of an option."""
    return [option.envvar] if isinstance(option.envvar, str) else [*(option.envvar or ())]


def test_every_command_has_a_section_and_is_listed() -> None:
    """The page's list of commands and its sections are click's commands, those of the plugins here included."""
    listed = [CODE.findall(row[0])[0] for row in CLI.table("Command line") if "(#jackfield-" in row[0]]
    sections = [heading.removeprefix("jackfield ") for heading in CLI.headings if heading.startswith("jackfield ")]
    assert sorted(listed) == sorted(sections) == COMMANDS


def test_serve_s_options_have_these_names_variables_and_defaults() -> None:
    """Every option of serve stands in the table with its names, its variables and its default, in click's order."""
    shown = [
        (CODE.findall(row[0]), CODE.findall(row[1]), CODE.findall(row[2]))
        for row in rows("serve")
        if len(row) == 4  # that of daprd's spellings has fewer columns
    ]
    assert shown == [(option.opts, variables(option), default_of(option)) for option in options("serve")]


def default_of(option: click.Option) -> list[str]:
    """Return an option's default as the page writes it; none for switches and for options without one."""
    if option.name == "folders":
        return ["manifests"]  # click knows nothing of it: the option may be given several times
    value: object = option.get_default(CONTEXT)
    return [str(value)] if isinstance(value, str | int | float) and value != "" and not option.is_flag else []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "serve"])
def test_every_other_command_s_options_have_these_names_and_variables(name: str) -> None:
    """Every option of every other command stands in its table."""
    shown = {frozenset(CODE.findall(row[0])): CODE.findall(row[1]) for row in rows(name)}
    assert shown == {frozenset(option.opts): variables(option) for option in options(name)}


def test_daprd_s_spellings_are_all_there() -> None:
    """What is accepted in daprd's name is in the table, or in the list of what has no effect."""
    section = CLI.section("daprd's spellings")
    ignored = CODE.findall(section.partition("have no effect:")[2])
    assert ignored == sorted(f"--{name}" for name in (*IGNORED_OPTIONS, *IGNORED_FLAGS))
    meant = {spelling.split()[0] for row in CLI.table("daprd's spellings") for spelling in CODE.findall(row[0])}
    hidden = {opt for option in options("serve", hidden=True) for opt in option.opts} - set(ignored)
    second = {opt for option in options("serve") for opt in option.opts[1:]}
    assert meant == hidden | second
    same = CODE.findall(section.rpartition("are called the same in both")[0].rpartition("\n\n")[2])
    assert set(same) <= {option.opts[0] for option in options("serve")}
