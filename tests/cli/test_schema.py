"""``jackfield schema``: what an editor knows of manifests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from running import component

from jackfield.cli.schema import schema
from jackfield.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    """Run the command and return what it prints."""
    result = CliRunner().invoke(schema, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """What an editor makes of the schema."""
    document = json.loads(run())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def complaints(validator: Draft202012Validator, text: str) -> list[str]:
    """The paths that an editor would underline, in a file's documents."""
    found = [error for document in yaml.safe_load_all(text) for error in validator.iter_errors(document)]
    return [error.json_path for error in found]


def test_the_repository_s_manifests_fit(validator: Draft202012Validator) -> None:
    """An editor has nothing to complain of in what a fresh clone serves."""
    files = sorted((ROOT / "manifests").glob("*.yaml"))
    assert files
    for file in files:
        assert complaints(validator, file.read_text("utf-8")) == [], file


BAD: dict[str, tuple[str, str]] = {
    "unknown type": (component("a", "conversation.ehco"), "$.spec.type"),
    "no name": (component("a").replace("  name: a\n", "  namespace: a\n"), "$.metadata"),
    "no type": (component("a").replace("  type: conversation.echo\n", ""), "$.spec"),
    "slash": (component("a/b"), "$.metadata.name"),
    "version": (component("a").replace("v1\n", "v9\n"), "$.spec.version"),
    "quoted boolean": (component("a", extra="  ignoreErrors: 'true'\n"), "$.spec.ignoreErrors"),
    "items": (component("a", extra="  metadata: {}\n"), "$.spec.metadata"),
    "setting": (component("a", "conversation.llamacpp", modle="x"), "$.spec.metadata[0].name"),
    "required": (component("a", "secretstores.local.file", nestedSeparator=":"), "$.spec.metadata"),
    "secret": (
        component("a") + "  metadata:\n  - name: seed\n    secretKeyRef: {key: k}\n",
        "$.spec.metadata[0].secretKeyRef",
    ),
    "scopes": (component("a") + "scopes: shop\n", "$.scopes"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_host_refuses_is_underlined(validator: Draft202012Validator, name: str) -> None:
    """A bad manifest has a complaint at the place of its error."""
    text, path = BAD[name]
    assert path in complaints(validator, text)


def test_every_installed_type_is_known(validator: Draft202012Validator) -> None:
    """The types of all plugins can be completed."""
    document: Any = validator.schema
    assert set(document["$defs"]["Component"]["properties"]["spec"]["properties"]["type"]["enum"]) >= {
        "conversation.echo",
        "conversation.llamacpp",
        "conversation.openai",
        "secretstores.local.env",
        "secretstores.local.file",
    }


def test_one_type_can_be_chosen() -> None:
    """--type, in any case, leaves one."""
    document = json.loads(run("--type", "Conversation.Echo"))
    assert document["$defs"]["Component"]["properties"]["spec"]["properties"]["type"]["enum"] == ["conversation.echo"]


@pytest.mark.parametrize(
    ("type_name", "text"),
    [
        ("conversation.ehco", "--type: there is no component type conversation.ehco; did you mean conversation.echo?"),
        ("x", "--type: there is no component type x; known are "),
    ],
)
def test_a_type_that_is_not_there_is_refused_with_those_that_are(type_name: str, text: str) -> None:
    """An unknown --type names the nearest or all."""
    with pytest.raises(ConfigurationError) as caught:
        run("--type", type_name)
    assert str(caught.value).startswith(text)


def test_a_file_can_be_written_where_the_host_passes_it_over(tmp_path: Path) -> None:
    """--out writes what would be printed, and the name in the help is one that no host takes for a manifest."""
    out = tmp_path / ".schema.json"
    assert run("--out", str(out)) == f"wrote {out}\n"
    assert out.read_text("utf-8") == run()
    missing = tmp_path / "none" / "schema.json"
    with pytest.raises(ConfigurationError, match=r"^--out: .*none/schema\.json can't be written \(No such file"):
        run("--out", str(missing))


def test_help_says_how_an_editor_finds_it() -> None:
    """The line for yaml-language-server stands in --help by itself, to be copied."""
    command = [sys.executable, "-m", "jackfield", "schema", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "  # yaml-language-server: $schema=.schema.json" in done.stdout.splitlines()
