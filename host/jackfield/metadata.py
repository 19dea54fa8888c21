"""The metadata document (contract sheet, section 3.1), with what operators want to know in the member ``jackfield``."""

from __future__ import annotations

from typing import Any

from jackfield.catalog.catalog import Entry, State
from jackfield.catalog.instance import ConversationInstance
from jackfield.host import Host
from jackfield.resilience.breaker import Breaker
from jackfield.resilience.documents import ResiliencyEntry
from jackfield.version import __version__

__all__ = ["DAPR_VERSION", "metadata_document"]

DAPR_VERSION = "1.18.0"
"""The daprd release whose conversation API this host speaks: clients check it before they use a feature."""


def metadata_document(host: Host) -> dict[str, Any]:
    """Describe a host: Dapr's keys as they are, empty ones left out, then our own member."""
    options = host.options
    entries = list(host.catalog.entries.values())
    document: dict[str, Any] = {}
    if options.app_id:
        document["id"] = options.app_id
    document["runtimeVersion"] = DAPR_VERSION
    if options.reload:
        document["enabledFeatures"] = ["HotReload"]
    peers = host.peers
    everywhere = [entry for entry in entries if peers is None or peers.serves_everywhere(entry.name)]
    components = [_dapr_component(entry) for entry in everywhere if entry.instance is not None]
    if components:
        document["components"] = components
    document["extended"] = {**host.extended, "daprRuntimeVersion": DAPR_VERSION}
    own = [_component(entry) for entry in entries]
    document["jackfield"] = {
        "version": __version__,
        "generation": host.catalog.generation if peers is None else peers.generation(host.catalog.generation),
        "components": own if peers is None else peers.merge(own),
        "resiliency": [_resiliency(entry) for entry in host.resilience.documents],
        "breakers": [_breaker(breaker) for breaker in host.resilience.breakers],
        "files": [str(problem) for problem in host.unreadable],
        "plugins": [
            {"name": plugin.name, "version": plugin.version, "state": plugin.state, "reason": plugin.reason}
            for plugin in host.plugins.records
        ],
    }
    if peers is not None:
        document["jackfield"] |= {"worker": peers.worker, "workers": peers.describe()}
    return document


def _dapr_component(entry: Entry) -> dict[str, Any]:
    assert entry.instance is not None  # noqa: S101  the caller leaves out the others
    manifest = entry.instance.manifest if entry.state is State.STALE else entry.manifest
    described: dict[str, Any] = {"name": entry.name, "type": manifest.type_name, "version": manifest.written_version}
    if entry.instance.component.capabilities:
        described["capabilities"] = list(entry.instance.component.capabilities)
    return described


def _resiliency(entry: ResiliencyEntry) -> dict[str, Any]:
    return {
        "name": entry.manifest.name,
        "state": entry.state.value,
        "source": entry.manifest.place,
        "problems": [str(problem) for problem in entry.problems],
    }


def _breaker(breaker: Breaker) -> dict[str, str]:
    return {"name": breaker.name, "component": breaker.component, "state": breaker.state.value}


def _component(entry: Entry) -> dict[str, Any]:
    manifest, instance = entry.manifest, entry.instance
    stages = {"stages": list(instance.stages)} if isinstance(instance, ConversationInstance) else {}
    return {
        "name": entry.name,
        "type": manifest.type_name,
        "state": entry.state.value,
        "source": f"{manifest.file}:{manifest.line}",
        "problems": [str(problem) for problem in entry.problems],
        **stages,
    }
