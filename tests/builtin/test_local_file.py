"""``secretstores.local.file``, on real files."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from jackfield import Build, ConfigurationError, SecretNotFound
from jackfield.builtin.local_file import FileSettings, FileStore

TREE = """\ufeff{
  "plain": "p", "number": 1.50, "flag": true, "none": null, "empty": "",
  "redis": {"password": "r", "ports": [1, 22]},
  "list": ["a", {"b": "c"}]
}"""


def store(path: Path | str, *, separator: str = ":", multi_valued: bool = False) -> FileStore:
    """Make a store that is not started."""
    settings = FileSettings(secrets_file=str(path), nested_separator=separator, multi_valued=multi_valued)
    build = Build("file", "secretstores.local.file", settings, {})
    return FileStore(build)


def started(path: Path, *, separator: str = ":", multi_valued: bool = False) -> FileStore:
    """Make a store and start it."""
    found = store(path, separator=separator, multi_valued=multi_valued)
    asyncio.run(found.start())
    return found


def put(path: Path, content: str) -> None:
    """Put a file in the place of another, as editors and Kubernetes do."""
    path.with_name("new").write_text(content)
    path.with_name("new").replace(path)


@pytest.mark.parametrize(
    ("separator", "multi_valued", "name", "entries"),
    [
        (":", False, "plain", {"plain": "p"}),
        (":", False, "number", {"number": "1.50"}),
        (":", False, "flag", {"flag": "true"}),
        (":", False, "empty", {"empty": ""}),
        (":", False, "redis:password", {"redis:password": "r"}),
        (":", False, "redis:ports:1", {"redis:ports:1": "22"}),
        (":", False, "list:1:b", {"list:1:b": "c"}),
        ("/", False, "redis/password", {"redis/password": "r"}),
        (":", True, "plain", {"plain": "p"}),
        (":", True, "redis", {"password": "r", "ports:0": "1", "ports:1": "22"}),
        ("__", True, "redis", {"password": "r", "ports__0": "1", "ports__1": "22"}),
    ],
)
def test_how_secrets_are_named(
    tmp_path: Path, separator: str, multi_valued: bool, name: str, entries: Mapping[str, str]
) -> None:
    """Nested objects and lists are joined by the separator; with multiValued the top level names the secrets."""
    (tmp_path / "secrets.json").write_text(TREE)
    found = started(tmp_path / "secrets.json", separator=separator, multi_valued=multi_valued)
    assert asyncio.run(found.get(name)) == entries


@pytest.mark.parametrize(
    ("multi_valued", "name"),
    [(False, "nope"), (False, "redis"), (False, "none"), (True, "redis:password"), (True, "list")],
)
def test_a_secret_that_is_not_there_is_not_found(tmp_path: Path, multi_valued: bool, name: str) -> None:
    """What is no secret in the file's mode is missing, and the error names it and the file."""
    (tmp_path / "secrets.json").write_text(TREE)
    found = started(tmp_path / "secrets.json", multi_valued=multi_valued)
    with pytest.raises(SecretNotFound) as caught:
        asyncio.run(found.get(name))
    assert str(caught.value) == f"there is no secret {name!r} in {tmp_path}/secrets.json"


def test_the_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is looked for where the host was started."""
    (tmp_path / "secrets.json").write_text('{"a": "b"}')
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(started(Path("secrets.json")).get("a")) == {"a": "b"}


BAD: list[tuple[bytes | None, str]] = [
    (None, "can't be read (No such file or directory); mend secretsFile, which is relative to the working "),
    (b"", "is not JSON: Expecting value in line 1, column 1"),
    (b'{"a": "hunter2",}', "is not JSON: "),
    (b'["hunter2"]', "is not a JSON object"),
    (b'{"a": "\xff"}', "is not UTF-8; save it as UTF-8"),
    (b'{"a": ' * 100_000, "nests too deeply"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_file_that_can_not_be_read_keeps_the_store_from_starting(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    """A missing or bad file is an error that names it and shows nothing of it."""
    if content is not None:
        (tmp_path / "secrets.json").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        started(tmp_path / "secrets.json")
    assert str(caught.value).startswith(f"the secrets file {tmp_path}/secrets.json {message}")
    assert "hunter2" not in str(caught.value)


def test_a_change_is_read_and_told_once(tmp_path: Path) -> None:
    """After the file changes the new secrets are there, and the host is told once."""
    path = tmp_path / "secrets.json"
    put(path, '{"a": "old"}')
    found = started(path)
    assert asyncio.run(found.changed()) is False
    put(path, '{"a": "new"}')
    assert asyncio.run(found.changed()) is True
    assert asyncio.run(found.get("a")) == {"a": "new"}
    assert asyncio.run(found.changed()) is False


def test_a_change_that_changes_no_secret_is_none(tmp_path: Path) -> None:
    """A file written anew with the same secrets rebuilds nothing."""
    path = tmp_path / "secrets.json"
    put(path, '{"a": "b"}')
    found = started(path)
    put(path, '{ "a" : "b" }\n')
    assert asyncio.run(found.changed()) is False


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_bad_change_keeps_the_secrets(
    tmp_path: Path, content: bytes | None, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that can't be read any more leaves the secrets, and the log says so once, until it can be read again."""
    path = tmp_path / "secrets.json"
    put(path, '{"a": "old"}')
    found = started(path)
    path.unlink() if content is None else path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "jackfield"):
        assert [asyncio.run(found.changed()) for _ in range(3)] == [False, False, False]
    assert asyncio.run(found.get("a")) == {"a": "old"}
    (text,) = caplog.messages
    assert text.startswith(f"secret store file keeps the secrets it has: the secrets file {path} {message}")
    assert "hunter2" not in text
    put(path, '{"a": "new"}')
    assert asyncio.run(found.changed()) is True


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_keeps_the_secrets(tmp_path: Path) -> None:
    """A file whose mode forbids reading is a file that can't be read."""
    path = tmp_path / "secrets.json"
    put(path, '{"a": "old"}')
    found = started(path)
    put(path, '{"a": "new"}')
    path.chmod(0)
    assert asyncio.run(found.changed()) is False
    path.chmod(0o600)
    assert asyncio.run(found.changed()) is True
