"""Lanes whose edits are not of single files: a mounted ConfigMap, a folder that is a link, one that comes and goes."""

from __future__ import annotations

import shutil
from pathlib import Path
from time import perf_counter

from edit_field import Field
from edit_lane import Document, Lane
from edit_writing import swap_link

__all__ = ["ConfigMap", "LinkedFolder", "VanishingFolder"]


class _Folder(Lane):
    """Components in a folder that changes as a whole."""

    count = 6

    def __init__(self, field: Field, folder: Path, name: str, seed: int) -> None:
        super().__init__(field, folder, name, seed)
        self.documents = [Document(f"{name}-{number}", "") for number in range(self.count)]

    def renew(self) -> dict[str, str]:
        """Give all components, or some of them, new versions."""
        chosen = self.draw.sample(self.documents, self.draw.randint(1, self.count))
        self.documents = [
            Document(one.name, self.version() if one in chosen or not one.version else one.version)
            for one in self.documents
        ]
        return {one.name: one.version for one in self.documents}

    def fill(self, folder: Path) -> None:
        """Write a folder's files."""
        began = perf_counter()
        folder.mkdir()
        for one in self.documents:
            (folder / f"{one.name}.yaml").write_text(one.text)
        if folder == self.folder and self.field.port:
            self.paused(perf_counter() - began, [one.name for one in self.documents])

    def know(self) -> None:
        """Tell the ledger what the host starts with."""
        for one in self.documents:
            self.field.ledger.known(one.name, one.version)


class ConfigMap(_Folder):
    """A mounted ConfigMap: each file is a link through ``..data``, which Kubernetes switches to a new folder."""

    def prepare(self) -> None:
        """Mount the first version."""
        self.folder.mkdir()
        self.renew()
        self.swap()
        for one in self.documents:
            (self.folder / f"{one.name}.yaml").symlink_to(f"..data/{one.name}.yaml")
        self.know()

    def swap(self) -> None:
        """Write a folder beside, switch the link to it, remove the one before."""
        before = (self.folder / "..data").resolve()
        target = f"..version-{self._versions}"
        self.fill(self.folder / target)
        swap_link(self.folder / "..data", target)
        if before != self.folder / "..data":
            shutil.rmtree(before)

    async def step(self) -> None:
        """Publish a new version."""

        async def publish() -> None:
            self.swap()

        await self.apply("a ConfigMap's swap", "..data", self.renew(), publish)


class LinkedFolder(_Folder):
    """A folder that is itself a link, as deployments switch it from one release to the next."""

    def prepare(self) -> None:
        """Make the first release."""
        self.renew()
        self.switch()
        self.know()

    def switch(self) -> None:
        """Write a release beside, switch to it, remove the one before."""
        before = self.folder.resolve() if self.folder.is_symlink() else None
        release = self.folder.with_name(f"release-{self._versions}")
        self.fill(release)
        swap_link(self.folder, release.name)
        if before is not None:
            shutil.rmtree(before)

    async def step(self) -> None:
        """Switch to a new release, or edit a file in the one that is there."""
        changes = self.renew()

        async def publish() -> None:
            self.switch()

        async def edit() -> None:
            for one in self.documents:
                (self.folder / f"{one.name}.yaml").write_text(one.text)

        if self.draw.random() < 0.5:
            await self.apply("a folder's link switched", self.folder.name, changes, publish)
        else:
            await self.apply("files behind a folder's link", self.folder.name, changes, edit)


class VanishingFolder(_Folder):
    """A folder that is taken away and comes back."""

    count = 3

    def prepare(self) -> None:
        """Make it."""
        self.renew()
        self.fill(self.folder)
        self.know()

    async def step(self) -> None:
        """Take the folder away, whereupon all its components go on, stale; bring another one, or edit this one."""
        if self.draw.random() < 0.5:
            names = [one.name for one in self.documents]
            held = {name: self.field.ledger.version(name) for name in names}
            edit, _ = self.begun("bad: a folder taken away", self.folder.name, held)
            away = self.folder.with_name(f"{self.folder.name}-away")
            self.folder.rename(away)
            await self.refused(edit, names, self.folder.name, "can't be read")
            shutil.rmtree(away)
        changes = self.renew()

        async def bring() -> None:
            if self.folder.exists():
                for one in self.documents:
                    (self.folder / f"{one.name}.yaml").write_text(one.text)
            else:
                self.fill(self.folder)

        await self.apply("files of a folder that comes and goes", self.folder.name, changes, bring)
