"""Tables of the pages, compared with what they describe."""

from __future__ import annotations

import logging
import re

import pytest
from markdown import page

from jackfield.builtin.api_log import register_observers
from jackfield.builtin.cache.memory import MemorySettings
from jackfield.builtin.local_env import EnvironmentSettings
from jackfield.builtin.local_file import FileSettings
from jackfield.catalog.catalog import State
from jackfield.errors import ERROR_CODES
from jackfield.http.facts import DEBUG, FACTS
from jackfield.manifests.fields import LEVELS
from jackfield.manifests.names import fields_of
from jackfield.messages import GenerationSettings, Record
from jackfield.options import HostOptions
from jackfield.overrides import override_name
from jackfield.plugins.register import ObserverRegister
from jackfield.policies import PolicySettings
from jackfield.serving.board import RELOADING
from jackfield.settings import Settings

API = page("docs/operators/api.md")
MANIFESTS = page("docs/operators/manifests.md")
CACHING = page("docs/operators/caching.md")
RELOAD = page("docs/operators/reload.md")


def codes(text: str) -> list[str]:
    """Return what stands in a text as code."""
    return re.findall(r"`([^`]+)`", text)


def test_every_field_of_a_manifest_is_described() -> None:
    """The table of fields has every key that a component manifest may have."""
    described = {codes(row[0])[0] for row in MANIFESTS.table("Fields") if codes(row[0])}
    paths = {f"{level}.{key}".strip(".") for level, keys in LEVELS.items() for key in keys}
    parents = {path for path in paths if any(other.startswith(path + ".") for other in paths)} - {"spec.metadata"}
    assert described == paths - parents


@pytest.mark.parametrize(
    ("heading", "cls"),
    [
        ("Settings of every conversation component", PolicySettings),
        ("secretstores.local.env", EnvironmentSettings),
        ("secretstores.local.file", FileSettings),
    ],
)
def test_settings_are_described_by_all_their_names(heading: str, cls: type[Settings]) -> None:
    """Each setting stands in its table, under every name that a manifest may give it."""
    described = [tuple(codes(row[0])) for row in MANIFESTS.table(heading)]
    assert described == [field.names for field in fields_of(cls)]


@pytest.mark.parametrize(("heading", "cls"), [("secretstores.local.file", FileSettings)])
def test_defaults_of_settings_are_as_described(heading: str, cls: type[Settings]) -> None:
    """What a table gives as a default is the default."""
    for row, field in zip(MANIFESTS.table(heading), fields_of(cls), strict=True):
        default = field.info.default
        written = {True: "`true`", False: "`false`"}.get(default, f"`{default}`")
        assert row[1] == ("required" if field.info.is_required() else written)


def test_every_state_is_described() -> None:
    """The states of a component are these, in the order of a component's life."""
    assert [codes(row[0])[0] for row in RELOAD.table("States")] == [*(state.value for state in State), RELOADING]


def test_every_error_code_is_described_with_its_status() -> None:
    """The table of errors has every code that a conversation can answer, with the status that it comes with."""
    described = {codes(row[0])[0]: row[1] for row in API.table("Errors") if codes(row[0])}
    for kind in ERROR_CODES.values():
        assert described.get(kind.code) == str(kind.http_status), kind


def test_every_header_that_tells_of_a_reply_is_described() -> None:
    """The table of headers has all that pages of other origins may read, and the one that asks for more."""
    rows = API.table("Headers")
    out = {name for row in rows if "out" in row[1] for name in codes(row[0])}
    assert out == set(FACTS)
    assert [row[1] for row in rows if DEBUG.decode() in codes(row[0])] == ["in"]


def test_the_store_in_memory_is_described() -> None:
    """Its settings and their defaults are what the page on caching says."""
    (setting,) = fields_of(MemorySettings)
    assert CACHING.table("Stores") == [[f"`{setting.names[0]}`", "`64Mi`", CACHING.table("Stores")[0][2]]]
    assert MemorySettings().max_size == 64 << 20


def test_every_override_is_described_by_all_its_names() -> None:
    """The table of overrides has all generation settings and three names beside them; further names mean the same."""
    table = API.table("Overrides")
    names = [codes(row[0])[0] for row in table]
    assert sorted(names) == sorted([*GenerationSettings.__struct_fields__, "model", "key", "endpoint"])
    for row in table:
        assert {override_name(name) for name in codes(row[0]) + codes(row[1])} == {codes(row[0])[0]}


def test_every_field_of_the_api_log_is_described(caplog: pytest.LogCaptureFixture) -> None:
    """The table of the request log's fields names what a line has, in its order."""
    register = ObserverRegister("api_log")
    register_observers(register)
    ((_, observer),) = register.close().requests
    before = set(vars(logging.makeLogRecord({})))
    with caplog.at_level(logging.INFO, "jackfield.api"):
        observer(Record())
    fields = [name for name in vars(caplog.records[-1]) if name not in before | {"message", "type"}]
    described = [name for row in page("docs/operators/cli.md").table("Log") for name in codes(row[0])]
    assert [name for name in fields if name in described or name not in {"asctime", "taskName"}] == described


def test_the_limits_are_as_described() -> None:
    """Body size and patience are what the page says."""
    limits = {row[0]: row[1] for row in API.table("Limits")}
    assert HostOptions().max_body_size == 4 << 20
    assert limits["request body"].startswith("4 MiB")
    assert limits["silence while a body arrives"] == f"{HostOptions().body_timeout:g} s"
    assert limits["silence within a streamed reply"].startswith(f"{HostOptions().heartbeat:g} s;")
