"""Real distributions for the tests of plugins: a module and a dist-info folder each, as an installer leaves them."""

from __future__ import annotations

import sys
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path
from textwrap import dedent

import pytest

__all__ = ["Site", "site_on_path"]

PROVIDER = """
from jackfield import Conversation, Result, Settings, hookimpl

class Provider(Conversation[Settings]):
    async def converse(self, request):
        return Result.of_text("{type_name}")

@hookimpl
def register_components(register):
    register.conversation("{type_name}", Provider)
"""


@dataclass(frozen=True)
class Site:
    """A folder of installed distributions."""

    path: Path

    def install(
        self,
        name: str,
        source: str | None = None,
        *,
        distribution: str = "",
        version: str = "1.0",
        requires: tuple[str, ...] = ("jackfield",),
        entry_points: str = "",
        metadata: bool = True,
    ) -> str:
        """Install a plugin and return its module's name.

        Args:
            name: the plugin's name.
            source: its module; a provider of the type ``conversation.NAME`` by default.
            distribution: ``jackfield-NAME`` by default.
            version: the distribution's version.
            requires: its Requires-Dist lines.
            entry_points: the whole of entry_points.txt, if it is to be another than the usual.
            metadata: False leaves METADATA out.
        """
        distribution = distribution or f"jackfield-{name}"
        module = distribution.replace("-", "_").lower()
        text = PROVIDER.format(type_name=f"conversation.{name}") if source is None else dedent(source)
        (self.path / f"{module}.py").write_text(text, "utf-8")
        info = self.path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_text(entry_points or f"[jackfield]\n{name} = {module}\n", "utf-8")
        if metadata:
            lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
            lines += [f"Requires-Dist: {line}" for line in requires]
            (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
        files = [self.path / f"{module}.py", *sorted(info.iterdir())]
        record = (info / "RECORD").relative_to(self.path).as_posix()
        (info / "RECORD").write_text("".join(map(self._line, files)) + f"{record},,\n", "utf-8")
        return module

    def _line(self, path: Path) -> str:
        digest = urlsafe_b64encode(sha256(path.read_bytes()).digest()).decode().rstrip("=")
        return f"{path.relative_to(self.path).as_posix()},sha256={digest},{path.stat().st_size}\n"

    @property
    def installed(self) -> list[Distribution]:
        """What ``load_plugins`` is to look through: this folder alone."""
        return list(distributions(path=[str(self.path)]))

    def wheel(self, folder: Path) -> Path:
        """Pack all that is installed here, one distribution, into a wheel in another folder."""
        (info,) = self.path.glob("*.dist-info")
        (info / "WHEEL").write_text("Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        record = (info / "RECORD").relative_to(self.path).as_posix()
        files = [path for path in self.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        files.remove(info / "RECORD")
        names = [path.relative_to(self.path).as_posix() for path in files]
        wheel = folder / f"{info.name.removesuffix('.dist-info')}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, name in zip(files, names, strict=True):
                archive.write(path, name)
            archive.writestr(record, "".join(map(self._line, files)) + f"{record},,\n")
        return wheel


@contextmanager
def site_on_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A new folder on the import path; what is imported from it is forgotten afterwards."""
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    known = set(sys.modules)
    yield Site(path)
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(path)):
            del sys.modules[name]
