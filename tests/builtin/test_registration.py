"""The built-in secret stores are plugins like any other."""

from __future__ import annotations

from types import ModuleType

import pytest

from jackfield.builtin.modules import BUILTINS
from jackfield.hookspecs import hookimpl


class Register:
    """Takes down what a plugin registers."""

    def __init__(self) -> None:
        self.types: list[tuple[str, str]] = []

    def conversation(self, type_name: str, cls: type, *, factory: object = None) -> None:
        """Take down a conversation type."""
        self.types.append((type_name, cls.__name__))

    def secret_store(self, type_name: str, cls: type, *, factory: object = None) -> None:
        """Take down a secret store type."""
        self.types.append((type_name, cls.__name__))


def builtin(name: str) -> ModuleType:
    """Return a built-in plugin's module."""
    found: ModuleType = next(module for module in BUILTINS if module.__name__ == f"jackfield.builtin.{name}")
    return found


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("local_env", ("secretstores.local.env", "EnvironmentStore")),
        ("local_file", ("secretstores.local.file", "FileStore")),
    ],
)
def test_a_store_is_registered_by_the_hook(name: str, registered: tuple[str, str]) -> None:
    """Each built-in module registers its type through the hook that all plugins use."""
    register = Register()
    builtin(name).register_components(register)
    assert register.types == [registered]
    assert hasattr(builtin(name).register_components, f"{hookimpl.project_name}_impl")
