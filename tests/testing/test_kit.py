"""Each check of the kit fails for a provider that breaks its promise, and holds for one that doesn't."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from broken_providers import BROKEN, Altered, ClosesItsSuccessor, Logs, NeedsNoKey

from jackfield import InvokeError, RegisterComponents, hookimpl
from jackfield.testing import ChatCompletions, ConversationKit
from jackfield.testing.checking import check_of

# Beyond the table: those that need a file, a log, or a class of their own.
ELSEWHERE = {
    "test_import_is_light",
    "test_logs_hold_nothing",
    "test_manifest_is_built",
    "test_missing",
    "test_reload_under_load",
}
CAUGHT = (AssertionError, InvokeError, RuntimeError, TimeoutError, ValueError, pytest.fail.Exception)
# Those whose mistake is an error that they don't expect.
FAULTY = {"NeedsATypeInSchemas", "StumblesOverRoles"}
CASES = [
    pytest.param(provider, name, arguments, id=f"{name}-{provider.__name__}-{'-'.join(map(str, arguments.values()))}")
    for name, listed in BROKEN.items()
    for provider, arguments in listed
]


def kit_of(provider: type[Altered], **attributes: Any) -> ConversationKit:
    """A kit for a provider that is registered by a module of its own."""

    @hookimpl
    def register_components(register: RegisterComponents) -> None:
        register.conversation("conversation.tested", provider)

    module = ModuleType("tested")
    module.register_components = register_components  # type: ignore[attr-defined]
    members = {
        "type_name": "conversation.tested",
        "dialect": ChatCompletions,
        "metadata": {"key": "sk-test-0123456789"},
        "plugin": module,
        "patience": 0.3,
        **attributes,
    }
    kit: ConversationKit = type("Kit", (ConversationKit,), members)()
    return kit


def plain(name: str) -> dict[str, Any]:
    """The metadata for a check: a second secret for the provider that has one."""
    return {"metadata": {"key": "sk-test-0123456789", "teamKey": "team-0123456789"}} if "secret" in name else {}


@pytest.mark.parametrize(("provider", "name", "arguments"), CASES)
def test_a_broken_provider_is_caught(provider: type[Altered], name: str, arguments: dict[str, Any]) -> None:
    """The check that is about it fails."""
    own = plain(name) if provider.__name__ == "KeepsAPlainKey" else {}
    with pytest.raises(CAUGHT) as caught:
        getattr(kit_of(provider, **own), name)(**arguments)
    assert ("a fault of its plugin" in str(caught.value)) == (provider.__name__ in FAULTY)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [pytest.param(*case.values[1:], id=str(case.id)) for case in CASES if case.values[1] != "test_opaque_data"],
)
def test_a_good_provider_passes(name: str, arguments: dict[str, Any]) -> None:
    """The same check holds for the provider that the broken ones are made of."""
    getattr(kit_of(Altered), name)(**arguments)


def test_every_check_is_known_to_fail() -> None:
    """No check of the kit is without a provider that it catches; live ones need a key."""
    checks = dict(inspect.getmembers(ConversationKit, lambda member: check_of(member) is not None))
    names = {name for name, method in checks.items() if not (found := check_of(method)) or not found.live}
    assert names == set(BROKEN) | ELSEWHERE
    assert not set(BROKEN) & ELSEWHERE


def test_a_manifest_that_warns_is_caught() -> None:
    """A kit whose own manifest has an item that nobody knows fails."""
    with pytest.raises(AssertionError, match="flavour"):
        kit_of(Altered, metadata={"key": "sk-test-0123456789", "flavour": "sweet"}).test_manifest_is_built()
    kit_of(Altered).test_manifest_is_built()


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_provider_without_its_key_is_caught(how: str) -> None:
    """A provider that is built without what it needs fails."""
    with pytest.raises(pytest.fail.Exception):
        kit_of(NeedsNoKey).test_missing(how)
    kit_of(Altered).test_missing(how)


def test_a_log_with_text_is_caught(caplog: pytest.LogCaptureFixture) -> None:
    """A provider that logs what was said fails."""
    with pytest.raises(AssertionError, match="what was said"):
        kit_of(Logs).test_logs_hold_nothing(caplog)
    caplog.clear()
    kit_of(Altered).test_logs_hold_nothing(caplog)


def test_a_provider_that_a_reload_breaks_is_caught(tmp_path: Path) -> None:
    """A provider whose closing ends its successor's requests fails."""
    for name in ("broken", "good"):
        (tmp_path / name).mkdir()
    with pytest.raises(AssertionError):
        kit_of(ClosesItsSuccessor).test_reload_under_load(tmp_path / "broken")
    kit_of(Altered).test_reload_under_load(tmp_path / "good")


@pytest.fixture(name="module")
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A plugin's module on the path, whose file a test writes."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "heavy_library.py").touch()
    return ModuleType("imported_plugin")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param("import heavy_library", "heavy_library", id="heavy"),
        pytest.param(
            "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError:\n    pass",
            "network",
            id="network",
        ),
        pytest.param("import json, msgspec, pydantic, jackfield.upstream", "", id="light"),
    ],
)
def test_a_heavy_import_is_caught(module: ModuleType, tmp_path: Path, code: str, told: str) -> None:
    """A plugin that imports a library or uses the network when it is found fails; what the host has is free."""
    (tmp_path / "imported_plugin.py").write_text(code)
    kit = kit_of(Altered, plugin=module)
    if not told:
        kit.test_import_is_light()
        return
    with pytest.raises(AssertionError, match=told):
        kit.test_import_is_light()


def test_a_capability_that_does_not_exist_is_refused() -> None:
    """A typo in ``lacks`` is told with the nearest name, as it would hide nothing and claim something."""

    class Mistyped(Altered):
        lacks = {"structured_outputs": "none"}

    with pytest.raises(TypeError, match="did you mean structured_output"):
        kit_of(Mistyped).test_structured_output("unary")


def test_a_type_that_nobody_registers_is_told() -> None:
    """The error names the type and what to do."""
    with pytest.raises(LookupError, match=r"no plugin registers 'conversation\.elsewhere'"):
        kit_of(Altered, type_name="conversation.elsewhere").test_manifest_is_built()


def test_leaving_the_machine_is_caught() -> None:
    """A provider that asks for another host than its endpoint fails, even if it hides the error."""
    kit = kit_of(Altered)
    kit.endpoint = lambda address: {"endpoint": "http://upstream.invalid/v1"}  # type: ignore[method-assign]
    with pytest.raises((InvokeError, AssertionError), match=r"upstream\.invalid"):
        kit.test_text_is_answered()
