"""``--config FILE``."""

# ruff: noqa: E501  (a message stands in one line, to be found by a search)
from __future__ import annotations

from pathlib import Path

import pytest

from jackfield.errors import ConfigurationError
from jackfield.manifests.configuration import Configuration, read_configuration

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: config}\nspec:\n"


def read(tmp_path: Path, *specs: str, ignore: bool = False, environment: dict[str, str] | None = None) -> Configuration:
    """Read files with these lines below ``spec``."""
    paths = []
    for number, spec in enumerate(specs):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(HEAD + "".join(f"  {line}\n" for line in spec.splitlines()))
    return read_configuration(paths, environment=environment or {}, ignore_unsupported=ignore)


def test_no_file_asks_for_nothing() -> None:
    """Without --config everything is allowed, followed and unlogged."""
    found = read_configuration([], environment={})
    assert found == Configuration()
    assert found.allows()
    assert (found.hot_reload, found.api_logging, found.denies("conversation.echo")) == (True, False, False)


@pytest.mark.parametrize(
    ("api", "served"),
    [
        (
            "denied: [{name: conversation, version: v1alpha1, protocol: http}]",
            {"v1alpha2 http", "v1alpha1 grpc", "v1alpha2 grpc"},
        ),
        (
            "denied: [{name: conversation, version: v1.0-alpha2, protocol: http}]",
            {"v1alpha1 http", "v1alpha1 grpc", "v1alpha2 grpc"},
        ),
        (
            "denied: [{name: conversation, version: v1.0-alpha2, protocol: grpc}]",
            {"v1alpha1 http", "v1alpha2 http", "v1alpha1 grpc", "v1alpha2 grpc"},
        ),
        ("denied: [{name: conversation, version: v1alpha2}]", {"v1alpha1 http", "v1alpha1 grpc"}),
        ("denied: [{name: conv, version: v1alpha2}]", {"v1alpha1 http", "v1alpha1 grpc", "v1alpha2 grpc"}),
        (
            "denied: [{name: state, version: v1, protocol: http}]",
            {"v1alpha1 http", "v1alpha2 http", "v1alpha1 grpc", "v1alpha2 grpc"},
        ),
        ("allowed: [{name: conversation, version: v1alpha2, protocol: grpc}]", {"v1alpha2 grpc"}),
        ("allowed: [{name: state, version: v1, protocol: http}]", set()),
        ("allowed: []", {"v1alpha1 http", "v1alpha2 http", "v1alpha1 grpc", "v1alpha2 grpc"}),
        (
            "{allowed: [{name: conversation, version: v1alpha1}], denied: [{name: conversation, version: v1alpha1, protocol: HTTP}]}",
            {"v1alpha1 grpc"},
        ),
    ],
)
def test_which_apis_are_served(tmp_path: Path, api: str, served: set[str]) -> None:
    """What is denied isn't served; where anything is allowed, nothing else is."""
    found = read(tmp_path, f"api:\n  {api}" if not api.startswith("{") else f"api: {api}")
    apis = [(version, protocol) for version in ("v1alpha1", "v1alpha2") for protocol in ("http", "grpc")]
    assert {
        f"{version} {protocol}" for version, protocol in apis if found.allows("conversation", version, protocol)
    } == served


@pytest.mark.parametrize(
    ("type_name", "version", "denied"),
    [
        ("conversation.echo", "v1", True),
        ("Conversation.Echo", "v9", True),
        ("conversation.openai", "v1", True),
        ("conversation.openai", "v2", False),
        ("conversation.mistral", "v1", False),
    ],
)
def test_which_component_types_are_denied(tmp_path: Path, type_name: str, version: str, denied: bool) -> None:
    """components.deny names types, with or without a version."""
    found = read(tmp_path, "components:\n  deny: [conversation.echo, conversation.openai/v1]")
    assert found.denies(type_name, version) is denied


def test_the_settings_that_are_only_switches(tmp_path: Path) -> None:
    """Hot reload and the API log are switched by their settings, whatever stands beside them."""
    features = "features: [{name: Other, enabled: true}, {name: HotReload, enabled: no}]"
    found = read(tmp_path, f"{features}\nlogging: {{apiLogging: {{enabled: on, obfuscateURLs: true}}}}")
    assert (found.hot_reload, found.api_logging) == (False, True)
    assert [problem.field for problem in found.problems] == ["spec.features[0].name"]


def test_a_later_file_lies_over_an_earlier_one(tmp_path: Path) -> None:
    """What a later file sets replaces what an earlier one has set, and leaves the rest."""
    found = read(
        tmp_path,
        "components: {deny: [a]}\nlogging: {apiLogging: {enabled: true}}",
        "components: {deny: [b]}",
    )
    assert (found.denied_types, found.api_logging) == (("b",), True)


def test_variables_are_filled_in(tmp_path: Path) -> None:
    """$VAR and ${VAR} are replaced before the file is parsed; what isn't set is empty."""
    found = read(tmp_path, "components: {deny: [$A, '${B}x', '$NO']}", environment={"A": "a", "B": "b"})
    assert found.denied_types == ("a", "bx", "")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("httpPipeline: {handlers: [{name: auth, type: middleware.http.bearer}]}", "httpPipeline.handlers"),
        ("appHttpPipeline: {handlers: [{name: a, type: b}]}", "appHttpPipeline.handlers"),
        ("accessControl: {defaultAction: deny}", "accessControl"),
        ("mtls: {enabled: true}", "mtls.enabled"),
        ("secrets: {scopes: [{storeName: a}]}", "secrets.scopes"),
    ],
)
def test_a_restriction_that_can_not_be_kept_stops_the_start(tmp_path: Path, spec: str, field: str) -> None:
    """A setting that restricts and isn't supported is an error naming it, unless the operator ignores it."""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, spec)
    cause = f"{tmp_path}/0.yaml:5: spec.{field}: is not supported, and leaving it out would allow what it forbids"
    assert str(caught.value) == (
        "the Configuration asks for what this host can't do; "
        f"take them out, or start with --ignore-unsupported-config:\n{cause}"
    )
    (problem,) = read(tmp_path, spec, ignore=True).problems
    assert (problem.severity, str(problem)) == ("warning", cause)


@pytest.mark.parametrize(
    "spec",
    [
        "httpPipeline: {handlers: []}",
        "mtls: {enabled: false}",
        "accessControl: {}",
        "secrets:",
        "tracing: {}",
        "metric:",
    ],
)
def test_a_restriction_that_restricts_nothing_is_in_order(tmp_path: Path, spec: str) -> None:
    """An empty list of handlers or mtls switched off asks for nothing."""
    assert read(tmp_path, spec).problems == ()


def test_the_rest_is_a_notice(tmp_path: Path) -> None:
    """A setting without effect here is named, and stops nothing."""
    spec = "tracing: {samplingRate: '1'}\nmetric: {enabled: true}\nfeatures: [{name: Wings, enabled: true}]"
    problems = read(tmp_path, spec).problems
    assert [(problem.severity, str(problem)) for problem in problems] == [
        ("notice", f"{tmp_path}/0.yaml:7: spec.features[0].name: the feature Wings has no effect in this host"),
        ("notice", f"{tmp_path}/0.yaml:5: spec.tracing: counts where jackfield-otel is installed"),
        ("notice", f"{tmp_path}/0.yaml:6: spec.metric: has no effect in this host"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "--config: {file} can't be read (No such file or directory)"),
        ("spec: [", "--config: {file}:1: a value is missing in a list or an object in brackets; complete it"),
        ("", "--config: {file}: the file is empty; write a manifest into it or delete it"),
        ("spec: {}\nspec: {}\n", "--config: {file}:2: the key spec is given twice; it stands in line 1 already"),
        ("spec: {api: {denied: x}}\n", "--config: {file}:1: spec.api.denied: must be a list"),
        (
            "spec:\n  components: {deny: x}\n",
            "--config: {file}:2: spec.components.deny: must be a list, not text; write one `- name` a line",
        ),
        (
            "spec: {features: [{name: HotReload, enabled: 'no'}]}\n",
            "--config: {file}:1: spec.features[0].enabled: must be true or false, not text; take away the quotes",
        ),
        (
            "spec: {api: {denied: [{name: a, protocol: ftp}]}}\n",
            "--config: {file}:1: spec.api.denied[0].protocol: there is no protocol 'ftp'; write http or grpc",
        ),
    ],
)
def test_a_file_that_can_not_be_read_stops_the_start(tmp_path: Path, content: str | None, message: str) -> None:
    """A missing or bad file is an error that names the option, the file and the line."""
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        read_configuration([file], environment={})
    assert str(caught.value) == message.replace("{file}", str(file))
