"""``--config FILE``: what ``kind: Configuration`` asks of this host (contract sheet, section 8).

A setting that restricts what may be done and that this host can't enforce stops the start, unless the operator says
otherwise: to leave it out in silence would open what somebody has closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jackfield.errors import ConfigurationError, ManifestError, Problem
from jackfield.manifests.documents import decode_file, split
from jackfield.manifests.fields import Field, Reader
from jackfield.manifests.tracing import read_tracing
from jackfield.manifests.yaml import Node, SequenceNode, parse, to_json

__all__ = ["ApiRule", "Configuration", "read_configuration"]

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[^}]*)\}|(?P<bare>[A-Za-z_][A-Za-z0-9_]*))")
_HTTP_VERSIONS = {"v1.0": "v1", "v1.0-alpha1": "v1alpha1", "v1.0-alpha2": "v1alpha2"}
_CONVERSATION = "conversation/{name}/converse"
_USED = ("api", "components", "features", "logging", "tracing")
_RESTRICTING = ("httpPipeline", "appHttpPipeline", "accessControl", "mtls", "secrets")
_SPEC = (*_USED, *_RESTRICTING)


@dataclass(frozen=True)
class ApiRule:
    """One entry of ``api.allowed`` or ``api.denied``: an empty protocol means both."""

    name: str
    version: str
    protocol: str = ""

    def matches(self, name: str, version: str, protocol: str, route: str) -> bool:
        """Tell whether the rule is about an API; over HTTP ``v1.0-alpha1`` and the beginning of a route name it too."""
        if self.protocol not in {"", protocol}:
            return False
        own = _HTTP_VERSIONS.get(self.version, self.version) if protocol == "http" else self.version
        return own == version and (self.name == name or (protocol == "http" and route.startswith(self.name)))


@dataclass(frozen=True)
class Configuration:
    """What the files ask for; the default asks for nothing.

    Attributes:
        allowed: the only APIs to serve; empty allows all.
        denied: APIs not to serve; looked at first.
        denied_types: component types not to load, as ``type`` or ``type/version``.
        hot_reload: whether manifests are to be followed while the host runs.
        api_logging: whether to log a line per request.
        telemetry: what ``tracing`` asks for, as variables of the environment.
        problems: notices of what has no effect here.
    """

    allowed: tuple[ApiRule, ...] = ()
    denied: tuple[ApiRule, ...] = ()
    denied_types: tuple[str, ...] = ()
    hot_reload: bool = True
    api_logging: bool = False
    telemetry: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def allows(
        self, api: str = "conversation", version: str = "v1alpha1", protocol: str = "http", route: str = _CONVERSATION
    ) -> bool:
        """Tell whether an API is to be served; health is, whatever the files say.

        Args:
            api: the API's name.
            version: ``v1alpha1`` or ``v1alpha2``, and ``v1`` for metadata and shutdown.
            protocol: ``http`` or ``grpc``.
            route: the path after the version, as its rule would write it; only HTTP has one.
        """
        if any(rule.matches(api, version, protocol, route) for rule in self.denied):
            return False
        return not self.allowed or any(rule.matches(api, version, protocol, route) for rule in self.allowed)

    def denies(self, type_name: str, version: str = "v1") -> bool:
        """Tell whether components of a type may not be loaded; the type is compared in any case."""
        names = {type_name.lower(), f"{type_name}/{version}".lower()}
        return any(entry.lower() in names for entry in self.denied_types)


def read_configuration(
    paths: Iterable[Path], *, environment: Mapping[str, str], ignore_unsupported: bool = False
) -> Configuration:
    """Read the files in order; what a later one sets replaces what an earlier one has set.

    Args:
        paths: the files.
        environment: for ``$VAR`` and ``${VAR}`` in them; a variable that isn't set is empty.
        ignore_unsupported: make a setting that this host can't enforce a warning.

    Raises:
        ConfigurationError: a file is missing or can't be understood, or it has a setting that this host can't enforce.
            Every such setting is named.
    """
    reading = _Reading()
    for path in paths:
        for root in _roots(path, environment):
            reading.take(str(path), root)
    if reading.unsupported and not ignore_unsupported:
        listed = "\n".join(map(str, reading.unsupported))
        fix = "take them out, or start with --ignore-unsupported-config"
        raise ConfigurationError(f"the Configuration asks for what this host can't do; {fix}:\n{listed}")
    return Configuration(
        allowed=reading.allowed,
        denied=reading.denied,
        denied_types=reading.denied_types,
        hot_reload=reading.hot_reload,
        api_logging=reading.api_logging,
        telemetry=reading.telemetry,
        problems=(*reading.unsupported, *reading.notices),
    )


def _roots(path: Path, environment: Mapping[str, str]) -> list[Node]:
    try:
        text = decode_file(path.read_bytes(), str(path))
        text = _VARIABLE.sub(lambda match: environment.get(match["braced"] or match["bare"] or "", ""), text)
        trees = [parse(document, str(path)) for document in split(text)]
    except OSError as error:
        raise ConfigurationError(f"--config: {path} can't be read ({error.strerror})") from None
    except ManifestError as error:
        raise ConfigurationError(f"--config: {error}") from None
    for tree in trees:
        for duplicate in tree.duplicates:
            place = f"{path}:{duplicate.line}"
            first = f"it stands in line {duplicate.first_line} already"
            raise ConfigurationError(f"--config: {place}: the key {duplicate.key} is given twice; {first}")
    return [tree.root for tree in trees if tree.root is not None]


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.allowed: tuple[ApiRule, ...] = ()
        self.denied: tuple[ApiRule, ...] = ()
        self.denied_types: tuple[str, ...] = ()
        self.hot_reload = True
        self.api_logging = False
        self.telemetry: dict[str, str] = {}
        self.unsupported: list[Problem] = []
        self.notices: list[Problem] = []

    def take(self, file: str, root: Node) -> None:
        """Read one document."""
        reader = Reader(file, root.line)
        top = reader.fields(root, "", ("spec",), others=True)
        spec = reader.fields(_node(top.get("spec")), "spec", _SPEC, others=True)
        self._api(reader, spec.get("api"))
        components = reader.fields(_node(spec.get("components")), "spec.components", ("deny",), others=True)
        if "deny" in components:
            self.denied_types = reader.texts(components["deny"], "spec.components.deny")
        self._features(file, reader, spec.get("features"))
        logging = reader.fields(_node(spec.get("logging")), "spec.logging", ("apiLogging",), others=True)
        path = "spec.logging.apiLogging"
        api_logging = reader.fields(_node(logging.get("apiLogging")), path, ("enabled",), others=True)
        if "enabled" in api_logging:
            self.api_logging = reader.boolean(api_logging["enabled"], f"{path}.enabled")
        if "tracing" in spec:
            self.telemetry, notices = read_tracing(file, reader, spec["tracing"])
            self.notices += notices
        self._others(file, reader, spec, _node(top.get("spec")))
        if reader.problems:
            raise ConfigurationError(f"--config: {ManifestError(reader.problems)}")

    def _api(self, reader: Reader, field: Field | None) -> None:
        api = reader.fields(_node(field), "spec.api", ("allowed", "denied"), others=True)
        if "allowed" in api:
            self.allowed = _rules(reader, api["allowed"], "spec.api.allowed")
        if "denied" in api:
            self.denied = _rules(reader, api["denied"], "spec.api.denied")

    def _features(self, file: str, reader: Reader, field: Field | None) -> None:
        for entry, path in _entries(reader, field, "spec.features"):
            feature = reader.fields(entry, path, ("name", "enabled"), others=True)
            name = reader.text(feature.get("name"), f"{path}.name")
            enabled = reader.boolean(feature.get("enabled"), f"{path}.enabled")
            if name == "HotReload":
                self.hot_reload = enabled
            elif name and enabled:
                cause = f"the feature {name} has no effect in this host"
                self.notices.append(Problem(file, feature["name"].line, f"{path}.name", cause, severity="notice"))

    def _others(self, file: str, reader: Reader, spec: Mapping[str, Field], node: Node | None) -> None:
        """Note what restricts, and what has no effect here."""
        for name, key in (("httpPipeline", "handlers"), ("appHttpPipeline", "handlers"), ("secrets", "scopes")):
            inner = reader.fields(_node(spec.get(name)), f"spec.{name}", (key,), others=True)
            if key in inner and to_json(inner[key].node):
                self._restricts(file, f"spec.{name}.{key}", inner[key].line)
        if "accessControl" in spec and to_json(spec["accessControl"].node):
            self._restricts(file, "spec.accessControl", spec["accessControl"].line)
        mtls = reader.fields(_node(spec.get("mtls")), "spec.mtls", ("enabled",), others=True)
        if reader.boolean(mtls.get("enabled"), "spec.mtls.enabled"):
            self._restricts(file, "spec.mtls.enabled", mtls["enabled"].line)
        known = {name.lower() for name in _SPEC}
        for key, value in getattr(node, "entries", ()):
            if key.text.lower() not in known and to_json(value):
                cause = "has no effect in this host"
                self.notices.append(Problem(file, key.line, f"spec.{key.text}", cause, severity="notice"))

    def _restricts(self, file: str, field: str, line: int) -> None:
        cause = "is not supported, and leaving it out would allow what it forbids"
        self.unsupported.append(Problem(file, line, field, cause, severity="warning"))


def _node(field: Field | None) -> Node | None:
    return field.node if field else None


def _entries(reader: Reader, field: Field | None, path: str) -> list[tuple[Node, str]]:
    if field is None:
        return []
    if not isinstance(field.node, SequenceNode):
        reader.report(path, "must be a list", line=field.line)
        return []
    return [(node, f"{path}[{index}]") for index, node in enumerate(field.node.items)]


def _rules(reader: Reader, field: Field, path: str) -> tuple[ApiRule, ...]:
    rules = []
    for entry, place in _entries(reader, field, path):
        rule = reader.fields(entry, place, ("name", "version", "protocol"), others=True)
        texts = {key: reader.text(rule.get(key), f"{place}.{key}") for key in ("name", "version", "protocol")}
        if texts["protocol"].lower() not in {"", "http", "grpc"}:
            reader.report(f"{place}.protocol", f"there is no protocol {texts['protocol']!r}", "write http or grpc")
        rules.append(ApiRule(texts["name"], texts["version"], texts["protocol"].lower()))
    return tuple(rules)
