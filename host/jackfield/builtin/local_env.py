"""``secretstores.local.env``: secrets from the host's own environment (contract sheet, section 6)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pydantic import Field

from jackfield import Build, DaprSettings, RegisterComponents, SecretStore, hookimpl
from jackfield.manifests.environment import belongs_to_host

__all__ = ["EnvironmentSettings", "EnvironmentStore", "register_components"]

_log = logging.getLogger(__name__)


class EnvironmentSettings(DaprSettings):
    """What a manifest of the type may set."""

    prefix: str = Field(default="", description="Put before a secret's name to get the variable's.")


class EnvironmentStore(SecretStore[EnvironmentSettings]):
    """Gives the variable of a secret's name, after the prefix; one that isn't set is empty, not missing."""

    Settings = EnvironmentSettings

    def __init__(self, build: Build[EnvironmentSettings]) -> None:
        super().__init__(build)
        self._environment = build.environment

    async def get(self, name: str) -> Mapping[str, str]:
        """Return one entry, under the requested name; empty for the variables that configure the host itself."""
        variable = self.settings.prefix + name
        if belongs_to_host(variable):
            _log.warning("secret store %s: the environment variable %s is not for components", self.name, variable)
            return {name: ""}
        return {name: self._environment.get(variable, "")}


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register the type."""
    register.secret_store("secretstores.local.env", EnvironmentStore)
