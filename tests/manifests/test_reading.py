"""Reading one document into a component manifest."""

from __future__ import annotations

import pytest

from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.documents import Document
from jackfield.manifests.reading import ParsedDocument, parse_document

FULL = """\
# A comment first.
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: llm
  namespace: production
  labels: {team: a}
spec:
  type: Conversation.OpenAI
  version: v1
  ignoreErrors: yes
  initTimeout: 1m30s
  metadata:
  - name: key
    secretKeyRef: {name: openai, key: token}
  - name: model
    value: 1.10
  - name: targets
    value: [{name: fast, weight: 3}, {name: big}]
  - name: endpoint
    envRef: ENDPOINT
  - name: nothing
    value:
auth:
  secretStore: vault
scopes: [app, 123]
"""
SMALL = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: llm
spec:
  type: conversation.echo
"""


def read(text: str, line: int = 1) -> ParsedDocument:
    """Read one document."""
    return parse_document(Document(text, line), file="f.yaml")


def manifest(text: str, line: int = 1) -> ComponentManifest:
    """Read a document that is a component manifest."""
    parsed = read(text, line)
    assert parsed.manifest is not None, parsed.problems
    return parsed.manifest


def test_a_manifest_has_all_that_stands_in_it() -> None:
    """Every field of a manifest is read, with the line it stands in."""
    parsed = read(FULL, line=11)
    found = parsed.manifest
    assert parsed.problems == ()
    assert found is not None
    assert (found.name, found.namespace, found.file, found.line) == ("llm", "production", "f.yaml", 12)
    assert (found.type_name, found.type_key, found.version) == ("Conversation.OpenAI", "conversation.openai", "v1")
    assert (found.ignore_errors, found.init_timeout) == (True, 90.0)
    assert (found.secret_store, found.scopes) == ("vault", ("app", "123"))
    key, model, targets, endpoint, nothing = found.items
    assert (key.secret_name, key.secret_key, key.has_value, key.line) == ("openai", "token", False, 24)
    assert (model.value, model.field) == ("1.10", "spec.metadata.model")
    assert targets.value == [{"name": "fast", "weight": 3}, {"name": "big"}]
    assert (endpoint.env_ref, nothing.has_value) == ("ENDPOINT", False)
    assert [found.line_of(path) for path in ("spec.type", "scopes", "spec.metadata.model.value", "auth.nothing")] == [
        19,
        36,
        26,
        34,
    ]


def test_what_a_manifest_leaves_out_has_a_default() -> None:
    """A manifest of a name and a type is whole."""
    found = manifest(SMALL)
    assert (found.version, found.ignore_errors, found.init_timeout) == ("v1", False, 5.0)
    assert (found.items, found.scopes, found.secret_store, found.namespace) == ((), (), "", "")


def test_a_manifest_can_be_made_again_from_its_text() -> None:
    """Another process that is given file, line and text reads the same manifest."""
    first = manifest(FULL, line=7)
    again = parse_document(first.document, file=first.file).manifest
    assert again is not None
    assert (again.digest, again.line, again.lines) == (first.digest, first.line, first.lines)


def test_keys_may_be_written_in_any_case() -> None:
    """Keys are the same in any case, as they are to daprd."""
    text = SMALL.replace("apiVersion", "APIVERSION").replace("metadata", "MetaData").replace("spec", "Spec")
    assert manifest(text.replace("type:", "TYPE:")).digest == manifest(SMALL).digest


@pytest.mark.parametrize(
    ("written", "name"), [("123", "123"), ("yes", "true"), ("0123", "83"), ("'0123'", "0123"), ("a b", "a b")]
)
def test_numbers_and_booleans_count_as_text(written: str, name: str) -> None:
    """A name may look like a number; it is the text that Go makes of it."""
    assert manifest(SMALL.replace("llm", written)).name == name


@pytest.mark.parametrize("version", ["v0", "v1", "V1", '""', "~"])
def test_the_initial_versions_are_the_same(version: str) -> None:
    """v0, v1 and none are one version."""
    assert manifest(f"{SMALL}  version: {version}\n").digest == manifest(SMALL).digest


@pytest.mark.parametrize("written", ["0", "0s", "-5s", "soon", "10"])
def test_an_init_timeout_that_can_not_be_is_five_seconds(written: str) -> None:
    """An initTimeout that is invalid, zero or negative is replaced by the default, with a warning."""
    parsed = read(f"{SMALL}  initTimeout: {written}\n")
    assert parsed.manifest is not None
    assert parsed.manifest.init_timeout == 5.0
    (problem,) = parsed.problems
    assert (problem.severity, problem.line, problem.component) == ("warning", 7, "llm")
    assert problem.cause.startswith("5s applies instead: ")


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("metadata:", "# why\nmetadata:"),
        SMALL.replace("metadata:\n  name: llm", "metadata: {name: 'llm', annotations: {a: b}}"),
        SMALL.replace("conversation.echo", "conversation.Echo"),
        f"{SMALL}  ignoreErrors: false\nscopes: []\n",
    ],
)
def test_the_digest_is_blind_to_layout(text: str) -> None:
    """Comments, quotes, order of keys and what says nothing new don't change the digest."""
    assert manifest(text, line=9).digest == manifest(SMALL).digest


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("llm", "llm2"),
        SMALL.replace("echo", "openai"),
        f"{SMALL}  ignoreErrors: true\n",
        f"{SMALL}  initTimeout: 6s\n",
        f"{SMALL}  metadata: [{{name: a, value: b}}]\n",
        f"{SMALL}  metadata: [{{name: a, envRef: b}}]\n",
        f"{SMALL}auth: {{secretStore: s}}\n",
        f"{SMALL}scopes: [a]\n",
    ],
)
def test_the_digest_changes_with_what_matters(text: str) -> None:
    """Name, spec, auth and scopes are each part of the digest."""
    assert manifest(text).digest != manifest(SMALL).digest


def test_the_digest_tells_texts_from_null_and_a_value_from_a_reference() -> None:
    """Items that differ only in the kind of their value have different digests."""
    values = ["value: a", "value: ''", "value:", "value: [a]", "envRef: a", "secretKeyRef: {name: a}"]
    digests = {manifest(f"{SMALL}  metadata:\n  - name: x\n    {value}\n").digest for value in values}
    assert len(digests) == len(values)


def test_no_value_is_in_the_repr() -> None:
    """A manifest that is logged shows no key that stands in it."""
    found = manifest(f"{SMALL}  metadata:\n  - {{name: key, value: s3cret}}\n")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{SMALL}  metadatas: []\n",
            "f.yaml:7: spec.metadatas: is not known and has no effect; did you mean metadata?",
        ),
        (f"{SMALL}specs: {{}}\n", "f.yaml:7: specs: is not known and has no effect; did you mean spec?"),
        (f"{SMALL}  scopes: [a]\n", "f.yaml:7: spec.scopes: has no effect here; scopes stands at the top level"),
        (f"{SMALL}initTimeout: 9s\n", "f.yaml:7: initTimeout: has no effect here; initTimeout stands under spec"),
        (f"{SMALL}auth: {{store: a}}\n", None),
        (f"{SMALL}status: {{phase: a}}\n", None),
    ],
)
def test_a_key_that_looks_misspelt_is_a_warning(text: str, message: str | None) -> None:
    """Unknown keys are ignored; one that resembles a known key, or stands in the wrong place, is a warning."""
    parsed = read(text)
    assert parsed.manifest is not None
    assert [str(problem) for problem in parsed.problems] == ([message] if message else [])
    assert {problem.severity for problem in parsed.problems} <= {"warning"}


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        (
            "kind: Configuration",
            "notice",
            "kind: a document of kind Configuration is not a component; skipped; name its file with --config",
        ),
        (
            "kind: Resilience",
            "warning",
            "kind: a document of kind Resilience is not a component; skipped; did you mean Resiliency?",
        ),
        ("kind: Subscription", "notice", "kind: a document of kind Subscription is not a component; skipped"),
        ("kind: HTTPEndpoint", "notice", "kind: a document of kind HTTPEndpoint is not a component; skipped"),
        (
            "kind: Componet",
            "warning",
            "kind: a document of kind Componet is not a component; skipped; did you mean Component?",
        ),
        (
            "kind: component",
            "warning",
            "kind: a document of kind component is not a component; skipped; did you mean Component?",
        ),
    ],
)
def test_documents_of_other_kinds_are_skipped(text: str, severity: str, message: str) -> None:
    """A document of another kind is skipped with a notice; one that looks like a misspelt component, with a warning."""
    parsed = read(SMALL.replace("kind: Component", text))
    assert (parsed.manifest, parsed.broken) == (None, False)
    assert [(problem.severity, str(problem)) for problem in parsed.problems] == [(severity, f"f.yaml:2: {message}")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            SMALL.replace("dapr.io/v1alpha1", "dapr.io/v2"),
            1,
            "apiVersion: dapr.io/v2 is not an apiVersion of components; skipped; write dapr.io/v1alpha1",
        ),
        (
            SMALL.replace("dapr.io/v1alpha1", "v1").replace("Component", "Service"),
            2,
            "kind: a document of kind Service is not a component; skipped",
        ),
        (
            SMALL.replace("conversation.echo", "state.redis"),
            6,
            "spec.type: state.redis is of a category that this host doesn't serve; skipped",
        ),
        (
            SMALL.replace("conversation.echo", "pubsub.kafka") + "  ignoreErrors: 'x'\n",
            6,
            "spec.type: pubsub.kafka is of a category that this host doesn't serve; skipped",
        ),
        ("services: {web: {image: x}}\n", 1, "the document has neither apiVersion nor kind and is skipped"),
        ("kind: Deployment\nkind: Deployment\n", 2, "kind: a document of kind Deployment is not a component; skipped"),
    ],
)
def test_what_is_meant_for_others_is_skipped_with_a_notice(text: str, line: int, message: str) -> None:
    """Other apiVersions, categories and tools' files are nobody's error, whatever is wrong in them."""
    parsed = read(text)
    assert (parsed.manifest, parsed.broken) == (None, False)
    assert [(problem.severity, str(problem)) for problem in parsed.problems] == [
        ("notice", f"f.yaml:{line}: {message}")
    ]


@pytest.mark.parametrize("line", ["kind: Component", "apiVersion: dapr.io/v1alpha1"])
def test_half_a_head_is_a_broken_document(line: str) -> None:
    """A document that is being written is broken, so that the component it was stays."""
    parsed = read(SMALL.replace(f"{line}\n", ""))
    assert (parsed.manifest, parsed.broken) == (None, True)
    assert [problem.component for problem in parsed.problems] == ["llm"]


def test_a_document_with_a_misspelt_name_alone_is_skipped_and_not_broken() -> None:
    """It has no error, so that nothing is kept stale for it; the guess is told."""
    found = read("piVersion:")
    assert not found.broken
    assert [problem.severity for problem in found.problems] == ["warning", "notice"]
    assert found.problems[0].fix == "did you mean apiVersion?"


def test_a_problem_is_one_line_whatever_the_names_are() -> None:
    """Line ends and terminal codes of a manifest's own names are shown as escapes."""
    (problem,) = read('apiVersion: v1\nkind: "a\\nb\\e[2Jc"\n').problems
    assert r"a\nb\x1b[2Jc" in str(problem)


def test_problems_name_the_component_of_the_document() -> None:
    """Whoever shows a component's problems finds them by its name."""
    parsed = read(f"{SMALL}  ignoreErrors: 'x'\n")
    assert (parsed.manifest, parsed.broken) == (None, True)
    assert [problem.component for problem in parsed.problems] == ["llm"]
