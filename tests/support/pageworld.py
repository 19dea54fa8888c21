"""A reader's machine: what a page has installed and written by the time its commands run, and a host that serves it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown import ROOT, Block, Page
from plugin_site import Site
from running import RunningHost, component

__all__ = ["PageWorld", "reader_of"]


@dataclass
class PageWorld:
    """A folder with ``manifests/``, and a site of the plugins that the page shows.

    Attributes:
        page: the page.
        folder: the current folder of its commands.
        modules: the plugin modules that the page shows.
    """

    page: Page
    folder: Path
    modules: list[str] = field(default_factory=list)

    @property
    def site(self) -> Path:
        """Where the page's plugins are installed."""
        return self.folder / "site"

    @property
    def manifests(self) -> Path:
        """The folder of manifests."""
        return self.folder / "manifests"

    def install(self) -> None:
        """Install the page's plugins, each with the pyproject.toml that the page gives it, or with a usual one."""
        self.site.mkdir()
        projects = [tomllib.loads(block.text) for block in self.page.blocks if block.file_name == "pyproject.toml"]
        by_module = {
            module: project
            for project in projects
            for module in project["project"]["entry-points"]["jackfield"].values()
        }
        for block in self.page.blocks:
            if not _is_plugin(block):
                continue
            module = block.file_name.removesuffix(".py")
            assert module.startswith("jackfield_"), f"{self.page}:{block.line}: say which file this plugin is"
            project = by_module.get(module, {"project": {}})["project"]
            name = module.removeprefix("jackfield_")
            self.modules.append(
                Site(self.site).install(
                    name,
                    block.text,
                    distribution=project.get("name", ""),
                    version=project.get("version", "1.0"),
                    requires=tuple(project.get("dependencies", ("jackfield",))),
                    entry_points=_entry_points(project),
                )
            )
            assert self.modules[-1] == module, f"{self.page}:{block.line}: the distribution's name gives another module"

    def write_manifests(self) -> None:
        """Write the manifests of a fresh clone, an echo for its model, and the page's own.

        Its own are those for types of its plugins, those that stand in one section with a plugin, and those before
        which the page says that they are served.
        """
        self.manifests.mkdir()
        shutil.copy(ROOT / "manifests/echo.yaml", self.manifests)
        (self.manifests / "llm.yaml").write_text(component("llm"))
        sections = {block.section for block in self.page.blocks if _is_plugin(block)}
        for number, block in enumerate(self.page.blocks):
            if block.language != "yaml":
                continue
            own = any(f"jackfield_{name}" in self.modules for name in _types(block))
            if own or block.section in sections or block.told("served"):
                (self.manifests / f"page{number}.yaml").write_text(block.text)
        for path in self.manifests.iterdir():
            os.utime(path, (1, 1))

    @contextmanager
    def serving(self, options: Mapping[str, Any]) -> Iterator[RunningHost]:
        """Serve the manifests, once all of them have been built."""
        with RunningHost(Path("manifests"), options=dict(options)) as host:
            health = host.request("GET", "/v1.0/healthz")
            while health.status != 204:
                entries = host.host.catalog.entries.values()
                assert all(entry.state.value != "failed" for entry in entries), [entry.cause for entry in entries]
                health = host.request("GET", "/v1.0/healthz")
            yield host

    def run(self, words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``jackfield`` as a process that sees the page's plugins."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))
        }
        return subprocess.run(
            [sys.executable, "-m", "jackfield", *words],
            cwd=self.folder,
            env=environment | {"PYTHONPATH": str(self.site)} | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def reader_of(page: Page, folder: Path) -> Iterator[PageWorld]:
    """Set up a page's world in a folder; its plugins can be imported, and are forgotten, while it lasts."""
    world = PageWorld(page, folder)
    world.install()
    world.write_manifests()
    (folder / "secrets.json").write_text(
        json.dumps({"openai-key": "sk-from-a-file", "openai": {"api-key": "sk-from-a-file"}})
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(world.site))
        for name in [name for name in os.environ if name.startswith(("JACKFIELD_", "DAPR_"))]:
            patch.delenv(name)
        try:
            yield world
        finally:
            for module in world.modules:
                sys.modules.pop(module, None)
            importlib.invalidate_caches()


def _is_plugin(block: Block) -> bool:
    return block.language == "python" and "@hookimpl" in block.text


def _entry_points(project: Mapping[str, Any]) -> str:
    points = project.get("entry-points", {}).get("jackfield", {})
    return "\n".join(["[jackfield]", *(f"{name} = {value}" for name, value in points.items()), ""]) if points else ""


def _types(block: Block) -> list[str]:
    """The last parts of the component types in a block of manifests."""
    documents = [document for document in yaml.safe_load_all(block.text) if isinstance(document, dict)]
    return [str(document.get("spec", {}).get("type", "")).rpartition(".")[2] for document in documents]
