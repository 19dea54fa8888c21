"""The plugin as the host finds it."""

from __future__ import annotations

import ast
from importlib.metadata import entry_points
from pathlib import Path

import pluggy
import pytest

import jackfield
import jackfield_presidio
from jackfield_presidio import plugin
from jackfield_presidio.recognizers import default_finders
from jackfield_presidio.settings import ENTITIES

SOURCES = sorted(Path(jackfield_presidio.__file__).parent.rglob("*.py"))


def test_entry_point() -> None:
    """The host finds the plugin under the name presidio."""
    [entry] = entry_points(group="jackfield", name="presidio")
    assert entry.load() is plugin


def test_registers_one_type() -> None:
    """The plugin registers scrubber.presidio, as the scrubber where no manifest names one."""
    registered: list[tuple[str, object, bool]] = []

    class Register:
        """Keeps what is registered."""

        def scrubber(self, type_name: str, cls: object, *, default: bool) -> None:
            """Keep a type."""
            registered.append((type_name, cls, default))

    manager = pluggy.PluginManager("jackfield")
    manager.register(plugin)
    [implementation] = manager.get_hookcallers(plugin) or []
    implementation(register=Register())
    assert registered == [("scrubber.presidio", jackfield_presidio.PresidioScrubber, True)]


def test_every_entity_has_its_finder() -> None:
    """What the settings know is what can be found."""
    assert set(default_finders((), lambda _: False)) == set(ENTITIES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_only_public_names_of_the_host(source: Path) -> None:
    """No module of the plugin reaches into the host."""
    tree = ast.parse(source.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in imports if (node.module or "").startswith("jackfield.")] == []
    names = {name.name for node in imports if node.module == "jackfield" for name in node.names}
    assert names <= set(jackfield.__all__)
