"""Hook list, signatures and documentation, compared with each other so that none changes alone."""

from __future__ import annotations

import inspect
import re

import pytest
from pluggy import PluginManager

from jackfield.hookspecs import Hooks, RegisterComponents, RegisterObservers, RegisterRoutes
from jackfield.plugins import Plugins
from jackfield.plugins.register import ObserverRegister, TypeRegister
from jackfield.plugins.routes import RouteRegister

HOOKS = {name: function for name, function in vars(Hooks).items() if not name.startswith("_")}


def test_the_hooks_are_these_with_these_arguments() -> None:
    """A hook or an argument is part of the plugin interface: it is not added, renamed or dropped in passing."""
    manager = PluginManager("jackfield")
    manager.add_hookspecs(Hooks)
    found = {name: getattr(manager.hook, name).spec for name in HOOKS if hasattr(manager.hook, name)}
    assert {name: (spec.argnames, spec.opts["firstresult"]) for name, spec in found.items()} == {
        "register_components": (("register",), False),
        "register_observers": (("register",), False),
        "run_service": (("host", "scope"), False),
        "register_commands": (("cli",), False),
        "register_routes": (("register",), False),
        "provide_scrubber": (("build",), True),
        "provide_router": (("build",), True),
        "provide_cache": (("build",), True),
        "wrap_handler": (("build",), False),
    }


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_when_who_wins_what_an_exception_does_and_since_when(name: str) -> None:
    """Each hook's docstring has a summary and then the four fields, in order, each with a text."""
    documentation = inspect.getdoc(HOOKS[name]) or ""
    assert re.fullmatch(
        r"[A-Z].+\.\n\nWhen: .+\.\nWho wins: .+\.\nAn exception: .+\.\nSince: \d+\.\d+\.", documentation, re.DOTALL
    )


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_a_plain_function(name: str) -> None:
    """Hooks resolve, handlers run: no specification is async or returns something to wait for."""
    assert not inspect.iscoroutinefunction(HOOKS[name])
    assert not inspect.isgeneratorfunction(HOOKS[name])
    given = inspect.signature(HOOKS[name]).return_annotation
    promised = {"ScrubStages | None", "Stage | None", "AbstractAsyncContextManager[object] | None"}
    assert given == "None" if name.startswith("register_") else given in promised


@pytest.mark.parametrize(
    ("promised", "given"),
    [
        (RegisterComponents, TypeRegister),
        (RegisterObservers, ObserverRegister),
        (RegisterRoutes, RouteRegister),
    ],
)
def test_what_a_hook_is_handed_has_the_promised_methods(promised: type, given: type) -> None:
    """The register objects have the methods of their protocols, with the same signatures."""
    methods = [name for name in vars(promised) if not name.startswith("_")]
    assert methods
    for name in methods:
        assert inspect.signature(getattr(given, name)) == inspect.signature(getattr(promised, name))


def test_the_facade_has_a_method_for_each_hook() -> None:
    """A hook that the facade doesn't ask would be a promise to plugins that nobody keeps."""
    source = inspect.getsource(Plugins)
    assert set(re.findall(r"\.hook\.(\w+)\.", source)) == set(HOOKS)
