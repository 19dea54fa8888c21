"""The facade: each hook asked one implementation at a time, in order, each in a guard."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import click
import pytest
from plugin_site import Site

import jackfield
from jackfield.messages import Record
from jackfield.observing import Observers
from jackfield.plugins import load_plugins

HOOK = """
from jackfield import hookimpl
import click
"""

OBSERVER = (
    HOOK
    + """
def observe(record):
    record.served_by = "{name}"

@hookimpl
def register_observers(register):
    register.request_finished(observe)
"""
)

COMMANDS = (
    HOOK
    + """
@hookimpl
def register_commands(cli):
    @cli.command()
    def shared():
        click.echo("{name}")

    @cli.command()
    def {name}():
        click.echo("{name}")
"""
)


def test_hooks_are_called_in_one_file_alone() -> None:
    """Only the facade reaches pluggy's hooks, so that each of the others is typed and guarded."""
    host = Path(jackfield.__file__).parent
    calling = {
        str(path.relative_to(host))
        for path in host.rglob("*.py")
        if re.search(r"\bpm\.hook\b|(?<!config)\.hook\.", path.read_text("utf-8"))
    }
    assert calling == {"plugins/manager.py"}


def test_observers_come_with_their_plugins_in_order(site: Site) -> None:
    """Observers of all plugins are returned by plugin name, as the functions that were registered."""
    for name in ("two", "one"):
        site.install(name, OBSERVER.format(name=name))
    observers = load_plugins(installed=site.installed).observers().requests
    assert [name for name, _ in observers] == ["one", "two"]
    for name, observer in observers:
        record = Record()
        observer(record)
        assert record.served_by == name


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "    raise OSError('no')", "register_observers: OSError: no (site/jackfield_bad.py:7)", id="raises"
        ),
        pytest.param(
            "    register.request_finished(3)",
            "register_observers: plugin 'bad' can't register int as an observer: no function (site/jackfield_bad.py:7)",
            id="no function",
        ),
        pytest.param(
            "    async def watch(record): ...\n    register.request_finished(watch)",
            "register_observers: plugin 'bad' can't register watch as an observer: it is async, and observers are "
            "plain functions that don't wait (site/jackfield_bad.py:8)",
            id="async",
        ),
    ],
)
def test_a_plugin_whose_observers_fail_keeps_its_types(site: Site, source: str, reason: str) -> None:
    """A failing register_observers costs a plugin all its observers, and nothing else; the cause is in its record."""
    hook = "@hookimpl\ndef register_observers(register):\n    register.request_finished(print)\n"
    provider = "from jackfield import Conversation\nclass P(Conversation):\n    async def converse(self, r): ...\n"
    types = "@hookimpl\ndef register_components(register): register.conversation('conversation.bad', P)\n"
    site.install("bad", "from jackfield import hookimpl\n\n\n" + hook + source + "\n" + provider + types)
    site.install("one", OBSERVER.format(name="one"))
    plugins = load_plugins(installed=site.installed)
    assert [name for name, _ in plugins.observers().requests] == ["one"]
    assert plugins.component_types().names == ("conversation.bad",)
    bad = plugins.records[0]
    assert (bad.state, bad.at_fault, bad.reason) == ("loaded", True, reason)


def test_a_plugin_that_fails_to_register_types_fails_as_a_whole(site: Site) -> None:
    """What register_components raises undoes the types it had registered, and the plugin's other hooks."""
    source = OBSERVER.format(name="bad") + (
        "from jackfield import Conversation\n"
        "class P(Conversation):\n    async def converse(self, request): ...\n"
        "@hookimpl\ndef register_components(register):\n"
        "    register.conversation('conversation.good', P)\n    register.conversation('bad', P)\n"
    )
    site.install("bad", source)
    plugins = load_plugins(installed=site.installed)
    assert plugins.observers() == Observers()
    assert plugins.component_types().names == ()
    (record,) = plugins.records
    assert (record.state, record.hooks, record.types) == ("failed", (), ())
    assert record.reason.startswith("plugin 'bad' can't register the type 'bad': its name must be conversation.")


def test_two_failing_hooks_are_both_in_the_record(site: Site) -> None:
    """A plugin that fails in two hooks has both reasons in its record, each once."""
    source = "@hookimpl\ndef register_observers(): 1 / 0\n@hookimpl\ndef register_commands(): {}['x']\n"
    site.install("bad", "from jackfield import hookimpl\n" + source)
    plugins = load_plugins(installed=site.installed)
    plugins.observers()
    for _ in range(2):
        plugins.add_commands(click.Group())
    assert plugins.records[0].reason.split("; ") == [
        "register_observers: ZeroDivisionError: division by zero (site/jackfield_bad.py:3)",
        "register_commands: KeyError: 'x' (site/jackfield_bad.py:5)",
    ]


def test_each_hook_is_called_once(site: Site) -> None:
    """Asking for types and observers again, for a listing say, doesn't call the plugins again."""
    source = HOOK + (
        "calls = []\n"
        "@hookimpl\ndef register_components(register): calls.append('components')\n"
        "@hookimpl\ndef register_observers(): calls.append('observers')\n"
    )
    module = site.install("counting", source)
    plugins = load_plugins(installed=site.installed)
    for _ in range(2):
        plugins.component_types()
        plugins.observers()
    assert __import__(module).calls == ["components", "observers"]
    assert plugins.records[0].hooks == ("register_components", "register_observers")


def test_commands_of_plugins_are_added_and_none_is_replaced(site: Site) -> None:
    """The group's own commands stay, the first plugin by name keeps a name, and what is left out is told."""
    site.install("one", COMMANDS.format(name="one"))
    site.install("two", COMMANDS.format(name="two"))
    site.install("serve", COMMANDS.format(name="serve"))
    site.install("zzz", HOOK + "@hookimpl\ndef register_commands(cli):\n    cli.command()(print)\n    1 / 0\n")
    group = click.Group("jackfield")
    group.add_command(own := click.Command("serve"))
    complaints = load_plugins(installed=site.installed).add_commands(group)
    assert sorted(group.commands) == ["one", "serve", "shared", "two"]
    assert group.commands["serve"] is own
    fault = "register_commands: ZeroDivisionError: division by zero (site/jackfield_zzz.py:7)"
    assert complaints == (
        "the command serve of plugin serve is left out: there is one of that name",
        "the command shared of plugin serve is left out: there is one of that name",
        "the command shared of plugin two is left out: there is one of that name",
        f"the commands of plugin zzz are left out: {fault}",
    )


def test_the_log_has_a_line_for_each_plugin(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A serving host logs every plugin with its state and reason: faults as errors, missing packages as warnings."""
    site.install("bad", "1 / 0")
    site.install("good")
    site.install("sdk", "import no_such_sdk")
    plugins = load_plugins(installed=site.installed, deny=("nobody",))
    with caplog.at_level(logging.INFO, logger="jackfield.plugins"):
        plugins.log()
    lines = [
        (line.levelname, line.getMessage(), vars(line).get("plugin"), "reason" in vars(line)) for line in caplog.records
    ]
    assert lines == [
        ("ERROR", "plugin failed", "bad", True),
        ("INFO", "plugin loaded", "good", False),
        ("WARNING", "plugin skipped", "sdk", True),
        ("WARNING", "--deny-plugins names 'nobody', and no installed plugin is called that", None, False),
    ]
