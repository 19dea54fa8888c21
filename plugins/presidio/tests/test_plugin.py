"""The plugin as the host finds it."""

from __future__ import annotations

from importlib.metadata import entry_points

import pluggy

import jackfield_presidio
from jackfield_presidio import plugin
from jackfield_presidio.recognizers import default_finders
from jackfield_presidio.settings import ENTITIES


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
