"""What a host would say of its folders, found out without one: nothing is asked over a network, and no model is loaded.

It is the first pass of a reload, with a builder that stops before it makes a component. So every error found here keeps
``jackfield serve`` from loading the component, with the same text, and the other way round.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jackfield.catalog.builder import Builder, Unusable, refused_settings
from jackfield.catalog.chains import Chains
from jackfield.catalog.examine import Examined, Find
from jackfield.catalog.instance import ConversationInstance, Instance
from jackfield.catalog.standing import Standing
from jackfield.components import Build, Component, Conversation, SecretStore
from jackfield.errors import InvokeError, ManifestError, Problem, SecretNotFound
from jackfield.events import Event
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.folder import SETTLE_SECONDS, FolderReader, Scan
from jackfield.messages import ConversationRequest
from jackfield.options import HostOptions
from jackfield.overrides import OverridePolicy
from jackfield.plugins.asking import HookFailed
from jackfield.plugins.manager import Plugins
from jackfield.plugins.types import ComponentTypes
from jackfield.reload.reconciler import Reconciler
from jackfield.resilience.registry import Resilience
from jackfield.resilience.routers import endless_targets
from jackfield.settings import Settings

__all__ = ["Checked", "check_folders"]

_LOCAL_STORES = "secretstores.local."
_PATIENCE = 100
"""How many times a folder is read while one of its files is being written, each time after ``SETTLE_SECONDS``."""


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Attributes:
        components: the names of the components that are there, broken ones too.
        problems: everything there is to say, by file and line.
    """

    components: tuple[str, ...]
    problems: tuple[Problem, ...]


async def check_folders(
    options: HostOptions, types: ComponentTypes, plugins: Plugins, *, strict: bool = False
) -> Checked:
    """Check the manifests in some folders.

    Args:
        options: the folders, the app's id, the namespace, the Configuration and the environment are taken from it.
        types: the component types there are.
        plugins: are asked for the stages of conversation components.
        strict: a secret or variable that isn't set is an error rather than a warning.
    """

    def denied(manifest: ComponentManifest) -> bool:
        return options.configuration.denies(manifest.type_name, manifest.version)

    reader = FolderReader(options.folders, app_id=options.app_id, namespace=options.namespace or None)
    scan, said = await asyncio.to_thread(_settled, reader)
    resilience = Resilience()
    checker = _Checker(
        types=types,
        chains=Chains(plugins, Standing(types, options.environment), resilience, options.wrap_order),
        environment=options.environment,
        app_id=options.app_id,
        namespace=options.namespace,
        strict=strict,
    )
    reconciler = Reconciler(checker, denied=denied, resilience=resilience)
    try:
        await reconciler.apply(scan)
        await reconciler.settled()
        entries = reconciler.catalog.entries
    finally:
        await reconciler.close()
    problems = [
        *options.configuration.problems,
        *said,
        *_empty(scan),
        *(_denial(manifest) for manifest in scan.manifests if denied(manifest)),
        *(problem for entry in entries.values() for problem in entry.problems),
        *resilience.problems,
        *endless_targets(entries.values(), resilience.policies),
    ]
    return Checked(tuple(entries), tuple(sorted(dict.fromkeys(problems), key=_place)))


def _settled(reader: FolderReader) -> tuple[Scan, tuple[Problem, ...]]:
    """Read the folders, again while a file is being written; what is said only the first time isn't lost."""
    scan = reader.scan()
    said: tuple[Problem, ...] = ()
    for _ in range(_PATIENCE):
        if not scan.unsettled:
            return scan, (*said, *scan.all_problems)
        time.sleep(SETTLE_SECONDS)
        said = (*said, *scan.problems)
        scan = reader.scan()
    cause = "a file in it is written again and again and could not be read"
    writing = (Problem(folder, 0, "", cause, "check again later") for folder in scan.folders)
    return scan, (*said, *scan.all_problems, *writing)


def _empty(scan: Scan) -> Iterator[Problem]:
    for folder, readable in scan.folders.items():
        if readable and not any(Path(path).parent == Path(folder) for path in scan.files):
            yield Problem(folder, 0, "", "the folder holds no manifests", severity="notice")


def _denial(manifest: ComponentManifest) -> Problem:
    cause = f"is left out: the Configuration denies {manifest.type_name}"
    return manifest.problem("spec.type", cause, severity="notice")


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.line


class _Unasked(SecretStore[Settings]):
    """Stands for a secret store that can't be asked offline."""

    async def get(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  it gives nothing
        raise SecretNotFound("a check is offline and asks only local stores")


async def _unanswered(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    """Stand for the chain of a component that lacks a value."""
    raise InvokeError("a check answers no request", component=request.component)
    yield


@dataclass(frozen=True)
class _Checker(Builder):
    """Builds local secret stores, and of everything else finds only what is wrong with it."""

    strict: bool = False

    async def build(
        self, manifest: ComponentManifest, find: Find, serving: Instance | None = None
    ) -> tuple[Instance, tuple[Problem, ...]]:
        examined = await self.examine(manifest, find)
        try:
            problems = _weighed(examined, strict=self.strict)
            if any(problem.severity == "error" for problem in problems):
                raise ManifestError(list(problems))
            is_store = issubclass(examined.kind.cls, SecretStore)
            if not is_store:
                return self._unmade(examined), problems
        finally:
            examined.references.release()
        if examined.kind.name.startswith(_LOCAL_STORES) and not _lacks_a_value(examined):
            return await super().build(manifest, find, serving)
        component = _Unasked(Build(manifest.name, examined.kind.name, Settings()))
        return Instance(manifest=manifest, component=component, fingerprint=b""), problems

    def _unmade(self, examined: Examined) -> Instance:
        """Make an instance whose component has its settings and nothing else: its own constructor isn't called."""
        manifest, cls = examined.manifest, examined.kind.cls
        decoded = None if _lacks_a_value(examined) else examined.decode()
        settings = Settings() if decoded is None else decoded.settings[-1]
        references = examined.references
        build = Build(manifest.name, examined.kind.name, settings, self.environment, references.component)
        component: Component[Any] = cls.__new__(cls)
        Component.__init__(component, build)
        made: dict[str, Any] = {"manifest": manifest, "component": component, "fingerprint": b""}
        if not isinstance(component, Conversation):
            return Instance(**made)
        chain = None
        if decoded is not None:
            try:
                chain = self.fold(examined, decoded, build, component, str)
            except HookFailed:
                pass  # a stage may need what only the component's own constructor makes
            except Exception as error:
                if refused := refused_settings(error):
                    raise Unusable(manifest, refused, str) from None
                raise
        handlers = chain._asdict() if chain is not None else {"handler": _unanswered, "entry": _unanswered}
        return ConversationInstance(**made, **handlers, overrides=OverridePolicy(frozenset()))


def _lacks_a_value(examined: Examined) -> bool:
    return any(item.unset for item in examined.resolved.items)


def _weighed(examined: Examined, *, strict: bool) -> tuple[Problem, ...]:
    """Weigh what is said of values that aren't there: it is a warning, or an error if the operator wants that.

    Whether a store has a secret that can't be asked for now is not known, which is no more than a notice.
    """
    items = examined.resolved.items
    unset = {item.item.field for item in items if item.unset}
    unset |= {problem.field for problem in examined.resolved.problems if problem.severity == "warning"}
    unasked = any(isinstance(reference.component, _Unasked) for reference in examined.references.found)
    unknown = {item.item.field for item in items if unasked and item.item.secret_name}

    def weigh(problem: Problem) -> Problem:
        if problem.severity != "warning" or problem.field not in unset:
            return problem
        if problem.field in unknown:
            return replace(problem, severity="notice")
        return replace(problem, severity="error") if strict else problem

    return tuple(map(weigh, examined.inspect()))
