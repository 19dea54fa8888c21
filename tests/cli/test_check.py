"""``jackfield check``: everything that is wrong with a folder, and an exit code for scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from running import component

from jackfield.cli.check import check

SECRETS = component("secrets", "secretstores.local.file", secretsFile="secrets.json")
KEY = "  metadata:\n  - name: key\n    secretKeyRef: {name: %s}\nauth:\n  secretStore: secrets\n"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of the test's own, with a folder ``manifests`` in it and no variables that the command reads."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("JACKFIELD_") or name == "NAMESPACE":
            monkeypatch.delenv(name)
    (tmp_path / "manifests").mkdir()
    return tmp_path


def write(name: str, text: str) -> None:
    """Write a manifest file."""
    (Path("manifests") / name).write_text(text)


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(check, arguments, catch_exceptions=False)


def test_a_folder_in_order_is_told_in_one_line() -> None:
    """Without problems there is the summary alone, and exit code 0."""
    write("a.yaml", component("a"))
    result = run()
    assert (result.exit_code, result.output) == (0, "1 component, 0 errors, 0 warnings\n")


def test_problems_stand_by_file_and_line_with_what_to_do() -> None:
    """Each problem is one line with its severity, place, field, cause and fix; the summary is the last line."""
    write("b.yaml", component("b", "conversation.llamacpp", parallel="900", modle="x", threads="many"))
    write("a.yaml", f"{component('dull', colour='red')}---\n{component('typo', 'conversation.ehco')}")
    write("notes.txt", "")
    result = run()
    assert result.exit_code == 1
    typo = "there is no component type conversation.ehco; did you mean conversation.echo?"
    known = "has no effect; known are cache, cachePartitionHeader, cacheTTL, frequencyPenalty, maxConcurrency, "
    known += "maxTokens, presencePenalty, requestOverrides, responseCacheTTL, router, scrubPII, scrubber, seed, stop, "
    known += "temperature, timeout, topK, topP"
    assert result.output.splitlines() == [
        f"warning: manifests/a.yaml:9: spec.metadata.colour: is no setting of conversation.echo and {known}",
        f"error: manifests/a.yaml:17: spec.type: {typo}",
        "error: manifests/b.yaml:10: spec.metadata.parallel: must be at most 64, not '900'",
        "error: manifests/b.yaml:11: spec.metadata.modle: is no setting of conversation.llamacpp; did you mean model?",
        "error: manifests/b.yaml:14: spec.metadata.threads: must be a whole number, not 'many'; write a number",
        "notice: manifests/notes.txt: the file is no YAML and is not loaded; name a manifest .yaml or .yml",
        "3 components, 4 errors, 1 warning",
    ]


def test_a_missing_folder_is_an_error_with_the_command_that_makes_one(workplace: Path) -> None:
    """Where there is no folder, the text names it and ``jackfield init``."""
    (workplace / "manifests").rmdir()
    result = run()
    cause = "the folder of manifests can't be read (No such file or directory)"
    fix = "write a first one with `jackfield init`, or name another folder with --manifests"
    assert result.output == f"error: manifests: {cause}; {fix}\n0 components, 1 error, 0 warnings\n"
    assert result.exit_code == 1
    assert "`jackfield init --to 'my own'`" in run("--manifests", "my own").output


def test_an_empty_folder_is_no_error() -> None:
    """A folder without manifests gets a hint and exit code 0."""
    result = run()
    fix = "write a first one with `jackfield init`, or name another folder with --manifests"
    assert result.output == (
        f"notice: manifests: the folder holds no manifests; {fix}\n0 components, 0 errors, 0 warnings\n"
    )
    assert result.exit_code == 0


UNSET = [
    pytest.param("  metadata:\n  - name: stop\n    envRef: NOT_SET\n", "variable NOT_SET is not set", id="variable"),
    pytest.param(KEY % "other", "there is no secret 'other' in secrets.json", id="secret"),
    pytest.param(KEY % "blank", "the secret 'blank' in the secret store secrets is empty", id="empty secret"),
    pytest.param((KEY % "blank").partition("auth")[0], "the manifest names no secret store", id="no store"),
]


@pytest.mark.parametrize(("text", "fragment"), UNSET)
def test_what_is_unset_is_a_warning_and_with_strict_an_error(workplace: Path, text: str, fragment: str) -> None:
    """Secrets and variables may be missing where manifests are checked, unless --strict asks for them."""
    (workplace / "secrets.json").write_text('{"blank": ""}')
    write("a.yaml", f"{SECRETS}---\n{component('llm', 'conversation.openai', model='m')}")
    write("b.yaml", component("b", "conversation.openai") + text)
    lenient, strict = (
        [line for line in result.output.splitlines() if fragment in line] for result in (run(), run("--strict"))
    )
    assert [line.partition(":")[0] for line in (*lenient, *strict)] == ["warning", "error"]
    assert run("--strict").exit_code == 1


def test_an_unset_value_alone_leaves_the_exit_code_at_0() -> None:
    """A key that is set elsewhere doesn't fail a build."""
    write("a.yaml", component("a", "conversation.openai") + "  metadata:\n  - name: key\n    envRef: NOT_SET\n")
    assert run().exit_code == 0
    assert run("--strict").exit_code == 1


def test_secrets_and_variables_are_read_from_local_stores_and_files(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the secrets file and the --env-file at hand, nothing is unset, also where a strict check asks."""
    monkeypatch.setenv("FROM_FILE", "")
    monkeypatch.delenv("FROM_FILE")
    (workplace / "secrets.json").write_text('{"openai": "sk-secret"}')
    (workplace / ".env").write_text("FROM_FILE=m\n")
    model = "  - name: model\n    envRef: FROM_FILE\nauth"
    write("a.yaml", SECRETS)
    write("b.yaml", component("b", "conversation.openai") + (KEY % "openai").replace("auth", model))
    result = run("--strict", "--env-file", ".env")
    assert (result.exit_code, result.output) == (0, "2 components, 0 errors, 0 warnings\n")


def test_no_secret_is_shown(workplace: Path) -> None:
    """A secret that is no good as a value is refused without being repeated, in JSON too."""
    (workplace / "secrets.json").write_text('{"openai": "sk-secret"}')
    write("a.yaml", SECRETS)
    write("b.yaml", component("b", "conversation.openai") + (KEY % "openai").replace("name: key", "name: temperature"))
    for result in (run(), run("--json")):
        assert "spec.metadata.temperature" in result.output
        assert "sk-secret" not in result.output


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("kind: Configuration\nspec: [", "error: --config: config.yaml:2: "),
        (
            "kind: Configuration\nspec:\n  mtls:\n    enabled: true\n",
            "error: --config: the Configuration asks for what",
        ),
    ],
)
def test_a_configuration_that_stops_serve_is_an_error_beside_the_others(
    workplace: Path, text: str, fragment: str
) -> None:
    """What --config names is checked too, and the manifests are checked all the same."""
    (workplace / "config.yaml").write_text(text)
    write("a.yaml", component("a", seed="x"))
    result = run("--config", "config.yaml")
    assert result.exit_code == 1
    assert fragment in result.output
    assert "spec.metadata.seed: must be a whole number" in result.output
    assert result.output.splitlines()[-1] == "1 component, 2 errors, 0 warnings"
    assert run("--config", "nowhere.yaml").output.startswith("error: --config: nowhere.yaml can't be read")


def test_a_setting_that_is_not_supported_can_be_let_pass(workplace: Path) -> None:
    """--ignore-unsupported-config makes it a warning, as it does for serve."""
    (workplace / "config.yaml").write_text("kind: Configuration\nspec:\n  mtls:\n    enabled: true\n")
    write("a.yaml", component("a"))
    result = run("--config", "config.yaml", "--ignore-unsupported-config")
    assert result.exit_code == 0
    assert result.output.startswith("warning: config.yaml:4: spec.mtls.enabled: is not supported")


def test_a_denied_type_is_left_out_with_a_notice(workplace: Path) -> None:
    """A component whose type the Configuration denies is not checked and not counted, and that is said."""
    deny = "kind: Configuration\nspec:\n  components:\n    deny:\n    - conversation.echo/v1\n"
    (workplace / "config.yaml").write_text(deny)
    write("a.yaml", component("a", seed="x"))
    result = run("--config", "config.yaml")
    cause = "is left out: the Configuration denies conversation.echo"
    assert result.output == (f"notice: manifests/a.yaml:6: spec.type: {cause}\n0 components, 0 errors, 0 warnings\n")


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [((), "scopes"), (("--app-id", "shop"), ""), (("--app-id", "shop", "--namespace", "test"), "metadata.namespace")],
)
def test_scopes_and_namespaces_are_those_of_serve(arguments: tuple[str, ...], left_out: str) -> None:
    """--app-id and --namespace decide which manifests are looked at."""
    write("a.yaml", component("a", seed="x").replace("name: a\n", "name: a\n  namespace: live\n") + "scopes: [shop]\n")
    result = run(*arguments)
    assert result.exit_code == (0 if left_out else 1)
    assert (f" {left_out}: is left out" in result.output) == bool(left_out)


def test_json_has_the_parts_of_every_problem() -> None:
    """--json gives the same facts to programs."""
    write("a.yaml", component("a", seed="x"))
    result = run("--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "components": ["a"],
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "file": "manifests/a.yaml",
                "line": 10,
                "field": "spec.metadata.seed",
                "cause": "must be a whole number, not 'x'",
                "fix": "write a number",
                "component": "a",
                "severity": "error",
                "text": "manifests/a.yaml:10: spec.metadata.seed: must be a whole number, not 'x'; write a number",
            }
        ],
    }


def test_plugins_that_are_left_out_are_named_as_the_reason() -> None:
    """A type whose plugin --deny-plugins keeps away is an error that says so."""
    write("a.yaml", component("a"))
    result = run("--deny-plugins", "echo")
    assert result.exit_code == 1
    assert "spec.type: plugin echo of jackfield-echo is blocked" in result.output


def test_the_real_command_prints_problems_on_standard_output_alone(workplace: Path) -> None:
    """``python -m jackfield check`` keeps standard error clean and exits with 1."""
    write("a.yaml", f"{component('a', seed='x')}---\n{component('b')}---\n{component('b')}")
    command = [sys.executable, "-m", "jackfield", "check"]
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == "2 components, 2 errors, 0 warnings"


def test_the_repository_s_own_manifests_are_in_order() -> None:
    """What a fresh clone serves passes a strict check."""
    folder = Path(__file__).parents[2] / "manifests"
    result = run("--strict", "--manifests", str(folder))
    assert result.exit_code == 0, result.output
