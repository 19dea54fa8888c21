"""Component types: what may be registered, and who gets a type that several plugins register."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pydantic
import pytest
from plugin_site import Site

from jackfield import Conversation, ConversationRequest, Event, PluginError, Result, SecretStore, Settings
from jackfield.plugins import ComponentType, ComponentTypes, load_plugins
from jackfield.plugins.register import TypeRegister


class Answering(Conversation[Settings]):
    """Implements converse alone."""

    async def converse(self, request: ConversationRequest) -> Result:
        """Answer."""
        return Result.of_text("")


class Streaming(Conversation[Settings]):
    """Implements stream alone."""

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer."""
        yield Result.of_text("")


class Silent(Conversation[Settings]):
    """Implements neither."""


class Generating(Conversation[Settings]):
    """Yields where it should return."""

    async def converse(self, request: ConversationRequest) -> Any:
        """Answer."""
        yield Result.of_text("")


class Returning(Conversation[Settings]):
    """Returns where it should yield."""

    async def stream(self, request: ConversationRequest) -> Any:  # type: ignore[override]
        """Answer."""
        return Result.of_text("")


class ForeignSettings(Answering):
    """Has settings that are no Settings."""

    Settings = pydantic.BaseModel  # type: ignore[assignment]


class Store(SecretStore[Settings]):
    """A store in order."""

    async def get(self, name: str) -> Mapping[str, str]:
        """Return a secret."""
        return {}


class EmptyStore(SecretStore[Settings]):
    """Lacks get."""


@pytest.mark.parametrize("cls", [Answering, Streaming])
def test_a_provider_needs_one_form_alone(cls: type[Conversation[Any]]) -> None:
    """A class with converse or stream is registered, under its name in lower case, with itself as the factory."""
    register = TypeRegister("mine")
    register.conversation("conversation.My-Type.v2", cls)
    (registered,) = register.close()
    assert registered == ComponentType("conversation.my-type.v2", Conversation, cls, cls, Settings, "mine")


def test_a_factory_makes_the_instances() -> None:
    """A factory that a plugin gives takes the class's place when an instance is made."""

    def factory(build: object) -> Store:
        raise NotImplementedError

    register = TypeRegister("mine")
    register.secret_store("secretstores.mine", Store, factory=factory)
    (registered,) = register.close()
    assert (registered.kind, registered.cls, registered.factory) == (SecretStore, Store, factory)


@pytest.mark.parametrize(
    ("kind", "type_name", "cls", "rule"),
    [
        ("conversation", "converse.mine", Answering, "its name must be conversation. and then letters"),
        ("conversation", "conversation.", Answering, "its name must be conversation. and then letters"),
        ("conversation", "conversation.my type", Answering, "its name must be conversation. and then letters"),
        ("conversation", "secretstores.mine", Answering, "its name must be conversation. and then letters"),
        ("conversation", None, Answering, "its name must be conversation. and then letters"),
        ("conversation", "conversation.taken", Answering, "it is registered twice"),
        ("conversation", "conversation.TAKEN", Answering, "it is registered twice"),
        ("conversation", "conversation.mine", Store, "Store is not a subclass of jackfield.Conversation"),
        ("conversation", "conversation.mine", "Answering", "str is not a subclass of jackfield.Conversation"),
        ("conversation", "conversation.mine", Silent, "Silent implements neither converse nor stream"),
        ("conversation", "conversation.mine", Generating, "Generating.converse contains yield"),
        ("conversation", "conversation.mine", Returning, "Returning.stream contains no yield"),
        ("conversation", "conversation.mine", ForeignSettings, "ForeignSettings.Settings is not a subclass of"),
        ("secret_store", "secretstore.mine", Store, "its name must be secretstores. and then letters"),
        ("secret_store", "secretstores.mine", Answering, "Answering is not a subclass of jackfield.SecretStore"),
        ("secret_store", "secretstores.mine", EmptyStore, "EmptyStore does not implement get"),
    ],
)
def test_a_type_that_breaks_a_rule_is_refused_at_once(kind: str, type_name: str, cls: Any, rule: str) -> None:
    """The call that registers a bad type raises, names plugin, type and rule, and leaves nothing behind."""
    register = TypeRegister("mine")
    register.conversation("conversation.taken", Answering)
    with pytest.raises(PluginError, match=re.escape(rule)) as caught:
        getattr(register, kind)(type_name, cls)
    assert str(caught.value).startswith(f"plugin 'mine' can't register the type {type_name!r}: ")
    assert [registered.name for registered in register.close()] == ["conversation.taken"]


def test_a_factory_that_cannot_be_called_is_refused() -> None:
    """A factory is something that can be called."""
    with pytest.raises(PluginError, match="its factory can't be called"):
        TypeRegister("mine").conversation("conversation.mine", Answering, factory=3)  # type: ignore[arg-type]


def test_types_are_registered_while_the_hook_runs_and_not_later() -> None:
    """A plugin that keeps the register and uses it later is told so, rather than ignored."""
    register = TypeRegister("mine")
    register.close()
    with pytest.raises(PluginError, match="register_components has returned"):
        register.conversation("conversation.mine", Answering)


def of(plugin: str, *names: str) -> list[ComponentType]:
    """Types as a plugin registers them."""
    return [ComponentType(name, Conversation, Answering, Answering, Settings, plugin) for name in names]


def test_types_are_found_in_any_case() -> None:
    """A type is found however a manifest writes its name; an unknown one is None."""
    types = ComponentTypes(of("a", "conversation.b", "conversation.a"))
    assert types.names == ("conversation.a", "conversation.b")
    assert [each.name for each in types] == ["conversation.a", "conversation.b"]
    assert len(types) == 2
    found = types.find("Conversation.A")
    assert found is not None
    assert found.name == "conversation.a"
    assert types.find("conversation.c") is None
    assert types.clash("conversation.c") == ""


CLASHING = [*of("one", "conversation.x", "conversation.own"), *of("two", "conversation.x")]


def test_a_type_of_two_plugins_belongs_to_neither() -> None:
    """A type that two plugins register can't be used, and the reason names both and the way out."""
    types = ComponentTypes(CLASHING)
    assert types.names == ("conversation.own",)
    assert types.find("conversation.x") is None
    reason = (
        "conversation.x is registered by the plugins one and two, so neither is used; "
        "pick one with --prefer conversation.x=one"
    )
    assert types.clash("Conversation.X") == reason
    assert types.clashes == {"conversation.x": reason}


@pytest.mark.parametrize("plugin", ["one", "two", "Two"])
def test_prefer_settles_a_clash(plugin: str) -> None:
    """A preferred plugin gets the type that several register."""
    types = ComponentTypes(CLASHING, prefer={"Conversation.X": plugin})
    found = types.find("conversation.x")
    assert found is not None
    assert found.plugin == plugin.lower()
    assert types.clashes == {}


@pytest.mark.parametrize(
    ("type_name", "reason"),
    [
        ("conversation.own", "; one does; correct or drop --prefer"),
        ("conversation.x", "; one, two does; correct or drop --prefer"),
        ("conversation.none", "; no plugin does; correct or drop --prefer"),
    ],
)
def test_a_preferred_type_is_never_taken_from_another_plugin(type_name: str, reason: str) -> None:
    """A type preferred from a plugin that doesn't register it can't be used: no other plugin gets its secrets."""
    types = ComponentTypes(CLASHING, prefer={type_name: "three"})
    assert types.find(type_name) is None
    start = f"--prefer takes {type_name} from plugin 'three', which does not register it"
    assert types.clash(type_name) == start + reason


def test_the_reason_of_a_plugin_that_is_not_loaded_is_at_hand(site: Site) -> None:
    """For a type that is missing because its plugin failed, the plugin's own reason can be shown."""
    site.install("My_AI", "import no_such_sdk")
    types = load_plugins(installed=site.installed).component_types({"conversation.my-ai": "my-ai"})
    reason = "plugin My_AI of jackfield-My_AI is skipped: needs the module no_such_sdk; install the package that has it"
    assert types.hint("conversation.my-ai") == reason
    assert types.hint("conversation.other") == ""
    assert reason in types.clash("conversation.my-ai")


def test_two_installed_plugins_clash_and_both_stay_loaded(site: Site) -> None:
    """A clash of types is no fault of either plugin: both stay loaded with what else they bring."""
    source = (
        "from jackfield import *\n"
        "class P(Conversation):\n    async def converse(self, request): ...\n"
        "@hookimpl\ndef register_components(register):\n"
        "    register.conversation('conversation.shared', P)\n    register.conversation('conversation.{}', P)\n"
    )
    for name in ("one", "two"):
        site.install(name, source.format(name))
    plugins = load_plugins(installed=site.installed)
    assert plugins.component_types().names == ("conversation.one", "conversation.two")
    assert "conversation.shared" in plugins.component_types({"conversation.shared": "two"}).names
    assert [record.state for record in plugins.records] == ["loaded", "loaded"]
    assert plugins.records[0].types == ("conversation.one", "conversation.shared")
