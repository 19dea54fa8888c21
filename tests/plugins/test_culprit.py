"""From a stack to the plugin that is at work in it."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from jackfield.plugins.culprit import Culprit, Stack, culprit, stack
from jackfield.plugins.discovery import Candidate


def plugin(name: str, module: str) -> Candidate:
    return Candidate(name, f"jackfield-{name}", "2.1", "", module, lambda: None)


PLUGINS = [
    plugin("probe", "jackfield_probe.plugin"),
    plugin("pair-a", "acme.a"),
    plugin("pair-b", "acme.b"),
    plugin("builtin", "jackfield.builtin.cache"),
]
CASES = {
    "its own line": ([("jackfield_probe.plugin", "in")], ("probe", "in", "")),
    "another module of its package": ([("jackfield_probe.deep.er", "in")], ("probe", "in", "")),
    "a library that it called": ([("requests.api", "lib"), ("jackfield_probe", "mine")], ("probe", "mine", "lib")),
    "the innermost of two": ([("acme.b", "b"), ("jackfield.chain", "host"), ("acme.a", "a")], ("pair-b", "b", "")),
    "two plugins in one package": ([("acme.a.sub", "in")], ("pair-a", "in", "")),
    "a name that only begins alike": ([("jackfield_prober", "in")], ("", "in", "")),
    "code that two plugins share": ([("acme.common", "deep"), ("acme.b", "mine")], ("pair-b", "mine", "deep")),
    "only code that two plugins share": ([("acme.common", "in")], ("pair-a", "in", "")),
    "the host itself": ([("jackfield.builtin.cache", "in"), ("asyncio", "out")], ("", "in", "")),
}


@pytest.mark.parametrize("case", CASES)
def test_the_innermost_plugin_is_named(case: str) -> None:
    """Whoever called the library that runs is named; the host's own code and strangers are not plugins."""
    where, (name, at, inside) = CASES[case]
    found = culprit(tuple(where), PLUGINS)
    assert (found.plugin, found.at, found.inside) == (name, at, inside)
    assert (found.distribution, found.version) == ((f"jackfield-{name}", "2.1") if name else ("", ""))


def test_only_what_is_known_goes_into_the_log() -> None:
    """A stack without a plugin gives its innermost place and no empty fields."""
    assert Culprit("", "", "", "file.py:1 in f").fields() == {"at": "file.py:1 in f"}


def test_a_stack_is_places_alone() -> None:
    """Module, file, line and function of each frame are noted, the innermost first, and no variable's value."""

    class Provider:
        def converse(self, text: str) -> Stack:
            frame: FrameType = sys._getframe()
            assert text
            return stack(frame)

    found = Provider().converse("a secret text")
    module, at = found[0]
    assert module == __name__
    assert at.startswith("plugins/test_culprit.py:")
    assert at.endswith("Provider.converse")
    assert found[1][1].endswith("in test_a_stack_is_places_alone")
    assert "secret" not in repr(found)


def test_no_frame_is_an_empty_stack() -> None:
    """A thread that has ended has none."""
    assert stack(None) == ()
