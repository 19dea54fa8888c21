"""``secretstores.local.file``: secrets from a JSON file (contract sheet, section 6).

Unlike daprd, which reads the file once, it is read again when it changes. A file that can't be read or doesn't parse
then leaves the secrets as they were.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from jackfield import (
    Build,
    ConfigurationError,
    DaprSettings,
    RegisterComponents,
    SecretNotFound,
    SecretStore,
    hookimpl,
)

__all__ = ["FileSettings", "FileStore", "register_components"]

_log = logging.getLogger(__name__)


class FileSettings(DaprSettings):
    """What a manifest of the type may set."""

    secrets_file: str = Field(description="The JSON file's path, relative to the host's working directory.")
    nested_separator: str = Field(default=":", description="What joins the keys of nested objects to a secret's name.")
    multi_valued: bool = Field(
        default=False, description="Take each top-level key for a secret, and the keys below it for its entries."
    )


class FileStore(SecretStore[FileSettings]):
    """Gives the secrets of a JSON file as it was when it last could be read."""

    Settings = FileSettings

    def __init__(self, build: Build[FileSettings]) -> None:
        super().__init__(build)
        if self.settings.multi_valued:
            self.capabilities = ("MULTIPLE_KEY_VALUES_PER_SECRET",)
        self._path = Path(self.settings.secrets_file)
        self._secrets: Mapping[str, Mapping[str, str]] = {}
        self._read: tuple[int, ...] = ()
        self._told = ""

    async def start(self) -> None:
        """Read the file.

        Raises:
            ConfigurationError: the file isn't there, or is no JSON object. Nothing of its content is in the text.
        """
        self._read, self._secrets = await asyncio.to_thread(self._load)

    async def get(self, name: str) -> Mapping[str, str]:
        """Return a secret's entries: one under its own name, or with ``multiValued`` all that stand below it.

        Raises:
            SecretNotFound: the file has no such secret.
        """
        try:
            return self._secrets[name]
        except KeyError:
            raise SecretNotFound(f"there is no secret {name!r} in {self._path}") from None

    async def changed(self) -> bool:
        """Read the file again if it has changed, and say whether the secrets have."""
        try:
            found = await asyncio.to_thread(self._load_if_changed)
        except ConfigurationError as error:
            if str(error) != self._told:
                self._told = str(error)
                _log.warning("secret store %s keeps the secrets it has: %s", self.name, error)
            return False
        self._told = ""
        if found is None:
            return False
        before = self._secrets
        self._read, self._secrets = found
        return before != self._secrets

    def _load_if_changed(self) -> tuple[tuple[int, ...], Mapping[str, Mapping[str, str]]] | None:
        try:
            if self._signature() == self._read:
                return None
        except OSError as error:
            raise self._unreadable(error) from None
        return self._load()

    def _load(self) -> tuple[tuple[int, ...], Mapping[str, Mapping[str, str]]]:
        try:
            signature = self._signature()
            content = self._path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise self._unreadable(error) from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"the secrets file {self._path} is not UTF-8; save it as UTF-8") from None
        return signature, self._parse(content)

    def _signature(self) -> tuple[int, ...]:
        status = self._path.stat()
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _unreadable(self, error: OSError) -> ConfigurationError:
        fix = "mend secretsFile, which is relative to the working directory"
        return ConfigurationError(f"the secrets file {self._path} can't be read ({error.strerror}); {fix}")

    def _parse(self, content: str) -> Mapping[str, Mapping[str, str]]:
        try:
            tree = json.loads(content, parse_float=str, parse_int=str)
            if isinstance(tree, dict):
                return dict(self._named(tree))
        except json.JSONDecodeError as error:
            cause = f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        except RecursionError:
            cause = "nests too deeply"
        else:
            cause = "is not a JSON object"
        raise ConfigurationError(f"the secrets file {self._path} {cause}") from None

    def _named(self, tree: dict[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
        separator = self.settings.nested_separator
        if not self.settings.multi_valued:
            for name, text in _flat(tree, "", separator):
                yield name, {name: text}
            return
        for name, value in tree.items():
            if isinstance(value, dict):
                yield name, dict(_flat(value, "", separator))
            elif not isinstance(value, list):
                yield name, dict(_flat(value, name, separator))


def _flat(value: Any, path: str, separator: str) -> Iterator[tuple[str, str]]:
    """Yield each leaf under its joined path; a boolean as JSON writes it, a null not at all."""
    if isinstance(value, (dict, list)):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(entry, f"{path}{separator}{key}" if path else str(key), separator)
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif value is not None:
        yield path, str(value)


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register the type."""
    register.secret_store("secretstores.local.file", FileStore)
