"""Paths that plugins register: the rules, clashes, and what a plugin's own fault does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from plugin_site import Site

from jackfield.errors import PluginError
from jackfield.frontends import RegisterRoutes
from jackfield.http.dialects import Alpha2
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.routes import RouteRegister

HOOK = "from jackfield import hookimpl\nfrom jackfield.http.dialects import Alpha2\nasync def app(*_): ...\n@hookimpl\n"


async def app(*_: object) -> None:
    """An ASGI app that answers nothing."""


@pytest.mark.parametrize(
    ("act", "rule"),
    [
        (lambda register: register.conversation("say", Alpha2()), "a path is /ONE/OR/MORE parts"),
        (lambda register: register.conversation("/say/", Alpha2()), "a path is /ONE/OR/MORE parts"),
        (lambda register: register.conversation("/say?x", Alpha2()), "a path is /ONE/OR/MORE parts"),
        (lambda register: register.conversation(7, Alpha2()), "a path is /ONE/OR/MORE parts"),
        (lambda register: register.conversation("/say/{name}", Alpha2()), "has no parameters"),
        (lambda register: register.conversation("/v1.0/say", Alpha2()), "is the host's own"),
        (lambda register: register.conversation("/v1.0-alpha3/say", Alpha2()), "is the host's own"),
        (lambda register: register.route("/openapi.json", app), "is the host's own"),
        (lambda register: register.conversation("/say", object()), "object has no method read"),
        (lambda register: register.route("/say", object()), "object is no ASGI app"),
        (lambda register: register.route("/say", app, methods=()), "its methods must be of"),
        (lambda register: register.route("/say", app, methods=("LOOK",)), "its methods must be of"),
        (lambda register: register.route("/say/{a}/{a}", app), "{a}"),
        (lambda register: [register.route("/a/{b}", app), register.route("/a/{c}", app)], "registered twice"),
        (lambda register: [register.route("/a", app, "POST"), register.conversation("/a", Alpha2())], "twice"),
    ],
)
def test_what_can_t_be_served_is_told_at_once(act: Callable[[RegisterRoutes], Any], rule: str) -> None:
    """A path or an app that breaks a rule raises, with the plugin, the path and the rule."""
    with pytest.raises(PluginError, match=re.escape(rule)) as raised:
        act(RouteRegister("talker"))
    assert "plugin 'talker' can't register the path" in str(raised.value)


def test_registering_ends_with_the_hook() -> None:
    """A register that was kept is of no use later."""
    register = RouteRegister("talker")
    register.route("/say", app)
    assert [(route.path, route.methods) for route in register.close()] == [("/say", frozenset({"GET"}))]
    with pytest.raises(PluginError, match="register only while it runs"):
        register.route("/more", app)


def test_methods_share_a_path() -> None:
    """One path may answer GET by one app and POST by another."""
    register = RouteRegister("talker")
    register.route("/say", app)
    register.conversation("/say", Alpha2())
    assert [sorted(route.methods) for route in register.close()] == [["GET"], ["POST"]]


def test_a_path_that_two_plugins_register_is_served_by_neither(site: Site) -> None:
    """Both records name path and plugins; their other paths stay, and so do those of others."""
    for name in ("one", "two"):
        body = f"    register.conversation('/say', Alpha2())\n    register.route('/{name}', app)\n"
        site.install(name, HOOK + "def register_routes(register):\n" + body)
    site.install("three", HOOK + "def register_routes(register): register.route('/three/{x}', app)\n")
    plugins = load_plugins(installed=site.installed)
    for _ in range(2):
        assert [(route.plugin, route.path) for route in plugins.routes()] == [
            ("one", "/one"),
            ("three", "/three/{x}"),
            ("two", "/two"),
        ]
    told = {record.name: record.reason for record in plugins.records}
    assert told["three"] == ""
    for name in ("one", "two"):
        assert "the path /say is registered by one and two; neither is served" in told[name]
        assert plugins.records[0].at_fault


def test_a_plugin_s_fault_costs_its_paths_alone(site: Site) -> None:
    """What the hook raises is in the record; the plugin's other hooks stay, and other plugins' paths too."""
    site.install("bad", HOOK + "def register_routes(register):\n    register.route('/bad', app)\n    1 / 0\n")
    site.install("good", HOOK + "def register_routes(register): register.route('/good', app)\n")
    plugins = load_plugins(installed=site.installed)
    assert [route.path for route in plugins.routes()] == ["/good"]
    bad = next(record for record in plugins.records if record.name == "bad")
    assert (bad.state, "register_routes: ZeroDivisionError" in bad.reason) == ("loaded", True)
