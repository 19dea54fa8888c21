"""``secretstores.local.env``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import pytest

from jackfield import Build
from jackfield.builtin.local_env import EnvironmentSettings, EnvironmentStore

VARIABLES = {"KEY": "k", "APP_KEY": "p", "DAPR_API_TOKEN": "t", "dapr_x": "t", "APP_API_TOKEN": "t", "EMPTY": ""}


def store(prefix: str = "") -> EnvironmentStore:
    """Make a store."""
    settings = EnvironmentSettings(prefix=prefix)
    build = Build("env", "secretstores.local.env", settings, VARIABLES)
    return EnvironmentStore(build)


@pytest.mark.parametrize(
    ("prefix", "name", "entries"),
    [
        ("", "KEY", {"KEY": "k"}),
        ("APP_", "KEY", {"KEY": "p"}),
        ("", "EMPTY", {"EMPTY": ""}),
        ("", "key", {"key": ""}),
        ("APP_", "NONE", {"NONE": ""}),
    ],
)
def test_a_secret_is_a_variable(prefix: str, name: str, entries: Mapping[str, str]) -> None:
    """A secret has one entry, under the requested name; a variable that isn't set is empty, not missing."""
    assert asyncio.run(store(prefix).get(name)) == entries


@pytest.mark.parametrize(
    ("prefix", "name"), [("", "DAPR_API_TOKEN"), ("DAPR_", "API_TOKEN"), ("", "dapr_x"), ("APP_", "API_TOKEN")]
)
def test_the_hosts_own_variables_are_refused(prefix: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """What configures the host is empty for components, in any case and behind any prefix, and the log says so."""
    with caplog.at_level(logging.WARNING, "jackfield"):
        assert asyncio.run(store(prefix).get(name)) == {name: ""}
    assert caplog.messages == [f"secret store env: the environment variable {prefix}{name} is not for components"]


def test_variables_do_not_change() -> None:
    """The environment of a process stays as it is, so nothing is ever read again."""
    assert asyncio.run(store().changed()) is False
