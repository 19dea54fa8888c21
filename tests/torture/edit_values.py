"""Lanes that edit what stands beside the components: Resiliency policies, and the secrets that manifests name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edit_field import Field
from edit_lane import Lane
from edit_manifests import manifest
from edit_writing import WHOLE

__all__ = ["Policies", "Secrets"]


def _policy(name: str, retries: object) -> bytes:
    return (
        f"apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: {name}\nspec:\n  policies:\n    retries:\n"
        f"      again:\n        policy: constant\n        duration: 1ms\n        maxRetries: {retries}\n"
        f"  targets:\n    components:\n      {name}:\n        outbound:\n          retry: again\n"
    ).encode()


class Policies(Lane):
    """A component that always fails: its error tells how often it was tried, and so which policy applied."""

    def prepare(self) -> None:
        """Write the component and its policy."""
        self.path = self.folder / f"{self.name}-policy.yaml"
        self.path.write_bytes(_policy(self.name, 1))
        (self.folder / f"{self.name}.yaml").write_text(manifest(self.name, self.version(), kind="stubborn"))
        self.field.ledger.known(self.name, "2")
        self.tried = 2

    async def step(self) -> None:
        """Change the policy, delete it, or spoil it: then the one before goes on."""
        what = self.draw.choice(("another policy", "another policy", "a policy deleted", "spoilt"))
        if what == "spoilt" and self.tried > 1:
            edit, _ = self.begun("bad: a policy", self.path.name, {self.name: str(self.tried)})
            await self.put(self.path, _policy(self.name, "few"), self.draw.choice(WHOLE))
            await self.field.named(edit, self.probes[0], self._missing)
            for probe in self.probes:
                await self.field.check(probe, self.name)
        elif what == "a policy deleted" and self.tried > 1:
            await self._become(what, 1)
        else:
            await self._become("another policy", self.draw.choice([n for n in range(2, 6) if n != self.tried]))

    async def _become(self, what: str, tried: int) -> None:
        self.tried = tried

        async def write() -> None:
            if tried > 1:
                await self.put(self.path, _policy(self.name, tried - 1), self.draw.choice(WHOLE))
            else:
                self.path.unlink()

        await self.apply(what, self.path.name, {self.name: str(tried)}, write)

    def _missing(self, own: Mapping[str, Any]) -> str:
        for entry in own["resiliency"]:
            said = "; ".join(entry["problems"])
            if entry["name"] == self.name and self.path.name in said and "maxRetries" in said:
                return ""
        return f"the policy should be named with its file and maxRetries: {own['resiliency']}"


class Secrets(Lane):
    """Components that have their version from a file of secrets outside the folders.

    A secret is looked at once a second, so its edits are measured apart.
    """

    def __init__(self, field: Field, folder: Path, name: str, seed: int) -> None:
        super().__init__(field, folder, name, seed)
        self.delays = field.secret_delays
        self.secrets = folder.parent / f"{name}.json"
        self.users = [f"{name}-one", f"{name}-two"]

    def prepare(self) -> None:
        """Write the store, its file and the components."""
        store = (
            f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {self.name}\nspec:\n"
            f"  type: secretstores.local.file\n  metadata:\n  - name: secretsFile\n    value: {self.secrets}\n"
        )
        (self.folder / f"{self.name}.yaml").write_text(store)
        changes = self._write()
        for user in self.users:
            text = manifest(user, "x", top=f"auth:\n  secretStore: {self.name}\n")
            path = self.folder / f"{user}.yaml"
            path.write_text(text.replace('value: "x"', f"secretKeyRef: {{name: {user}}}"))
            self.field.ledger.known(user, changes[user])

    def _write(self, user: str = "") -> dict[str, str]:
        before = json.loads(self.secrets.read_text()) if self.secrets.exists() else {}
        changes = {one: self.version() for one in ([user] if user else self.users)}
        beside = self.secrets.with_suffix(".new")
        beside.write_text(json.dumps(before | changes))
        beside.replace(self.secrets)
        return changes

    async def step(self) -> None:
        """Change one secret, or both."""
        user = self.draw.choice(["", *self.users])
        changes = {
            one: f"{self.name}.{self._versions + 1 + place}" for place, one in enumerate([user] if user else self.users)
        }

        async def write() -> None:
            self._write(user)

        await self.apply("a secret", self.secrets.name, changes, write)
