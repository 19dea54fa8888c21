"""Plugins that go wrong while they are imported, registered or asked: each harms itself alone."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import pytest
from plugin_site import Site

from jackfield.messages import Record
from jackfield.plugins import PluginRecord, load_plugins

HOOK = """
from jackfield import hookimpl
"""


def beside_a_good_one(site: Site, source: str) -> PluginRecord:
    """Install a bad plugin between two good ones, see that these load, and return the bad one's record."""
    site.install("aaa")
    site.install("bad", source)
    site.install("zzz")
    plugins = load_plugins(installed=site.installed)
    assert plugins.component_types().names == ("conversation.aaa", "conversation.zzz")
    plugins.observers()
    first, bad, last = plugins.records
    assert (first.state, last.state) == ("loaded", "loaded")
    return bad


@pytest.mark.parametrize(
    ("source", "state", "reason"),
    [
        pytest.param(
            "x = 1\nraise ValueError('bad\\n\\nday')\n",
            "failed",
            "ValueError: bad day (site/jackfield_bad.py:2)",
            id="exception",
        ),
        pytest.param("import sys\nsys.exit(3)", "failed", "SystemExit: 3 (site/jackfield_bad.py:2)", id="exit"),
        pytest.param(
            "class Panic(BaseException): pass\nraise Panic('boom')",
            "failed",
            "Panic: boom (site/jackfield_bad.py:2)",
            id="base exception",
        ),
        pytest.param("def (", "failed", r"SyntaxError: .*\(site/jackfield_bad.py:1\)", id="syntax"),
        pytest.param(
            "class Odd(Exception):\n    def __str__(self): raise self\nraise Odd",
            "failed",
            "Odd: (its text can't be shown) (site/jackfield_bad.py:3)",
            id="unprintable",
        ),
        pytest.param(
            "import no_such_sdk.client",
            "skipped",
            "needs the module no_such_sdk; install the package that has it",
            id="missing package",
        ),
        pytest.param(
            "from jackfield_bad.inner import x",
            "failed",
            "ModuleNotFoundError: No module named 'jackfield_bad.inner'; 'jackfield_bad' is not a package "
            "(site/jackfield_bad.py:1)",
            id="own module missing",
        ),
        pytest.param(
            "from email import nothing_of_that_name",
            "failed",
            r"ImportError: cannot import name 'nothing_of_that_name' from 'email' .*\(site/jackfield_bad.py:1\)",
            id="name missing",
        ),
        pytest.param(
            "import jackfield.not_yet",
            "incompatible",
            "imports something this jackfield does not have: No module named 'jackfield.not_yet' "
            "(site/jackfield_bad.py:1)",
            id="host module missing",
        ),
        pytest.param(
            "from jackfield import NotYet",
            "incompatible",
            r"imports something this jackfield does not have: cannot import name 'NotYet' .*:1\)",
            id="host name missing",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef register_componets(register): ...",
            "incompatible",
            "'register_componets' is no hook of this jackfield; did you mean 'register_components'?",
            id="misspelt hook",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef frobnicate(): ...",
            "incompatible",
            "'frobnicate' is no hook of this jackfield",
            id="unknown hook",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef register_components(register, colour): ...",
            "incompatible",
            r"Plugin 'bad' for hook 'register_components' .*\{'colour'\}.*",
            id="unknown argument",
        ),
        pytest.param(
            HOOK + "@hookimpl\nasync def register_components(register): ...",
            "incompatible",
            "hook 'register_components' is async; hooks are plain functions, and what they register may be async",
            id="async",
        ),
        pytest.param(
            HOOK + "@hookimpl\nasync def register_observers(register): yield",
            "incompatible",
            "hook 'register_observers' is async; hooks are plain functions, and what they register may be async",
            id="async generator",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef register_components(register): yield",
            "incompatible",
            "hook 'register_components' contains yield, so its body would never run; make it a plain function",
            id="generator",
        ),
        pytest.param(
            HOOK + "@hookimpl(wrapper=True)\ndef register_components(register): return (yield)",
            "incompatible",
            "hook 'register_components' is a wrapper; hooks are asked once, so there is nothing to wrap",
            id="wrapper",
        ),
        pytest.param(
            HOOK + "@hookimpl(wrapper=True)\ndef register_components(register): return 1",
            "incompatible",
            r"Plugin 'bad' for hook 'register_components' .*",
            id="wrapper without yield",
        ),
        pytest.param(
            HOOK + "async def work(): ...\n@hookimpl\ndef register_components(register): return work()",
            "failed",
            "hook 'register_components' returned a coroutine; hooks are plain functions",
            id="coroutine returned",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef register_components(register):\n    raise KeyError('x')",
            "failed",
            "KeyError: 'x' (site/jackfield_bad.py:5)",
            id="hook raises",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef register_components(register):\n    raise SystemExit",
            "failed",
            "SystemExit (site/jackfield_bad.py:5)",
            id="hook exits",
        ),
        pytest.param(
            HOOK + "@hookimpl\ndef register_components(register):\n    import no_such_sdk",
            "skipped",
            "needs the module no_such_sdk; install the package that has it",
            id="hook lacks package",
        ),
    ],
)
def test_a_bad_plugin_ends_in_a_state_with_a_reason(site: Site, source: str, state: str, reason: str) -> None:
    """Whatever a plugin does, the host and the others load, and its record says what was wrong and where."""
    record = beside_a_good_one(site, source)
    assert record.state == state
    assert record.reason == reason or re.fullmatch(reason, record.reason)
    assert (record.hooks, record.types) == ((), ())


def test_an_interrupt_is_not_a_fault_of_the_plugin(site: Site) -> None:
    """Ctrl-C while a plugin is imported stops the host as it would anywhere else."""
    site.install("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugins(installed=site.installed)


def test_an_optional_hook_of_a_later_host_is_left_alone(site: Site) -> None:
    """A plugin may implement a hook that this host doesn't have yet if it says that the hook is optional."""
    site.install("new", HOOK + "@hookimpl(optionalhook=True)\ndef register_later(register): ...")
    (record,) = load_plugins(installed=site.installed).records
    assert (record.state, record.hooks) == ("loaded", ())


def test_an_entry_point_that_is_nothing_is_refused(site: Site) -> None:
    """None in the place of a plugin is incompatible: it has no hooks that could be called."""
    site.install("odd", "nothing = None", entry_points="[jackfield]\nodd = jackfield_odd:nothing\n")
    (record,) = load_plugins(installed=site.installed).records
    assert record.state == "incompatible"
    assert record.reason == "its entry point names None; name a module, a class or an object"


def test_a_class_gives_each_host_a_plugin_of_its_own(site: Site) -> None:
    """The host makes an instance, so that state which several hooks share is not shared by several hosts."""
    source = HOOK + (
        "class Plugin:\n"
        "    @hookimpl\n"
        "    def register_observers(self, register): register.request_finished(lambda record: self)\n"
    )
    site.install("mine", source, entry_points="[jackfield]\nmine = jackfield_mine:Plugin\n")
    plugins = [load_plugins(installed=site.installed).observers().requests[0][1](Record()) for _ in range(2)]
    assert [type(plugin).__name__ for plugin in plugins] == ["Plugin", "Plugin"]
    assert plugins[0] is not plugins[1]


def test_a_class_that_can_t_be_made_fails(site: Site) -> None:
    """A plugin class takes no arguments; one that wants some is that plugin's failure, with the cause."""
    source = "class Plugin:\n    def __init__(self, host): ..."
    site.install("odd", source, entry_points="[jackfield]\nodd = jackfield_odd:Plugin\n")
    (record,) = load_plugins(installed=site.installed).records
    assert record.state == "failed"
    assert "missing 1 required positional argument: 'host'" in record.reason


def test_an_instance_can_be_a_plugin(site: Site) -> None:
    """An entry point may name an object, whose methods are the hooks."""
    source = HOOK + (
        "from jackfield import Conversation\n"
        "class Mine(Conversation):\n    async def converse(self, request): ...\n"
        "class Plugin:\n"
        "    @hookimpl\n"
        "    def register_components(self, register): register.conversation('conversation.mine', Mine)\n"
        "plugin = Plugin()\n"
    )
    site.install("mine", source, entry_points="[jackfield]\nmine = jackfield_mine:plugin\n")
    assert load_plugins(installed=site.installed).component_types().names == ("conversation.mine",)


def test_one_module_under_two_names_is_loaded_once(site: Site) -> None:
    """A second entry point for a module that is a plugin already is refused by name."""
    site.install("one", entry_points="[jackfield]\none = jackfield_one\ntwo = jackfield_one\n")
    one, two = load_plugins(installed=site.installed).records
    assert (one.state, two.state) == ("loaded", "incompatible")
    assert two.reason == "is the same object as plugin 'one'"


def test_what_a_plugin_prints_goes_to_standard_error(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """A plugin that prints while it is imported doesn't get into a command's own output."""
    site.install("loud", "print('look at me')")
    load_plugins(installed=site.installed)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "look at me\n")


def test_a_reason_shows_no_secret_and_stays_short(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of the environment that a plugin puts into its exception is masked, and a long text is cut."""
    monkeypatch.setenv("SOME_API_KEY", "sk-verysecret")
    monkeypatch.setenv("SOME_COLOUR", "ultramarine")
    source = "import os\nraise ValueError(os.environ['SOME_API_KEY'] + os.environ['SOME_COLOUR'] + ' ' + 'x' * 5000)"
    site.install("bad", source)
    (record,) = load_plugins(installed=site.installed).records
    assert record.reason.startswith("ValueError: ***ultramarine xxx")
    assert "verysecret" not in repr(record)
    assert len(record.reason) < 400


def test_built_in_plugins_come_first_and_are_not_subject_to_the_allow_list(site: Site) -> None:
    """The host's own plugins are registered first, under names of their own, and only the deny list stops them."""
    site.install("aaa")
    builtins = [_module(site, f"stores_{name}") for name in ("local_env", "local_file")]
    plugins = load_plugins(builtins=builtins, installed=site.installed, allow=(), deny=("builtin.stores_local_file",))
    assert [(record.name, record.distribution, record.state) for record in plugins.records] == [
        ("builtin.stores_local_env", "jackfield", "loaded"),
        ("builtin.stores_local_file", "jackfield", "blocked"),
        ("aaa", "jackfield-aaa", "blocked"),
    ]
    assert plugins.notices == ()


def _module(site: Site, name: str) -> ModuleType:
    (site.path / f"{name}.py").write_text("", "utf-8")
    __import__(name)
    return sys.modules[name]
