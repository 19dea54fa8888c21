"""``jackfield init``: the first manifest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import RunningHost

from jackfield.cli.check import check
from jackfield.cli.init import init
from jackfield.errors import ConfigurationError


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with all plugins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JACKFIELD_PLUGINS", raising=False)
    monkeypatch.delenv("JACKFIELD_DENY_PLUGINS", raising=False)
    return tmp_path


def run(*arguments: str) -> list[str]:
    """Run the command and return the lines it prints."""
    result = CliRunner().invoke(init, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output.splitlines()


def checked(*arguments: str) -> tuple[int, list[str]]:
    """Check what was written."""
    result = CliRunner().invoke(check, arguments, catch_exceptions=False)
    return result.exit_code, result.output.splitlines()


def test_the_first_manifest_is_in_order_and_the_next_commands_are_named() -> None:
    """manifests/llm.yaml passes a strict check, and what to do next is printed."""
    assert run() == [
        "wrote manifests/llm.yaml",
        "Next:",
        "  jackfield pull smollm2",
        "  jackfield serve",
        "  jackfield converse llm 'Hello!'",
    ]
    assert checked("--strict") == (0, ["1 component, 0 errors, 0 warnings"])
    text = Path("manifests/llm.yaml").read_text("utf-8")
    assert re.search(r"^  type: conversation.llamacpp$", text, re.MULTILINE)
    assert re.search(r"^  initTimeout: 60s$", text, re.MULTILINE)


def test_another_folder_is_named_in_the_commands() -> None:
    """--to makes the folder, and the commands to come name it as a shell wants it."""
    assert "  jackfield serve --manifests 'my own/manifests'" in run("--to", "my own/manifests")
    assert checked("--manifests", "my own/manifests")[0] == 0


def test_without_the_embedded_engine_the_component_echoes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where llamacpp isn't installed, echo takes its place, which is said, and it answers at once."""
    monkeypatch.setenv("JACKFIELD_DENY_PLUGINS", "llamacpp")
    assert run() == [
        "wrote manifests/llm.yaml",
        "The plugin llamacpp is not installed, so the component llm only echoes what it is asked.",
        "Next:",
        "  jackfield serve",
        "  jackfield converse llm 'Hello!'",
    ]
    with RunningHost(Path("manifests")) as host:
        assert host.converse("llm", "hi").json["outputs"][0]["choices"][0]["message"]["content"] == "hi"


def test_without_any_plugin_the_one_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare host is told how to get the component's plugin."""
    monkeypatch.setenv("JACKFIELD_PLUGINS", "")
    assert "  jackfield install echo" in run()


def test_a_file_that_is_there_stays_as_it_is() -> None:
    """Nothing is overwritten; the file is named."""
    run()
    Path("manifests/llm.yaml").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"^manifests/llm\.yaml exists and stays as it is; delete it or name"):
        run()
    assert Path("manifests/llm.yaml").read_text() == "mine"


def test_a_component_of_that_name_in_another_file_keeps_it_from_being_written() -> None:
    """A second component llm would keep both from loading, so none is written, and the first one's place is named."""
    run("--to", "other")
    Path("manifests").mkdir()
    Path("other/llm.yaml").rename("manifests/models.yaml")
    with pytest.raises(ConfigurationError, match=r"^manifests/models\.yaml:3 defines a component llm already; nothing"):
        run()
    assert not Path("manifests/llm.yaml").exists()


def test_a_folder_that_can_not_be_made_is_named() -> None:
    """Where a file is in the way, the text says which path and why."""
    Path("file").write_text("")
    with pytest.raises(
        ConfigurationError, match=r"^file/manifests/llm\.yaml can't be written \(Not a directory\); name"
    ):
        run("--to", "file/manifests")


def _commented() -> tuple[list[str], list[str]]:
    """The two manifests in the comments: the real model's, and the lines that take its key from a store."""
    lines = Path("manifests/llm.yaml").read_text("utf-8").splitlines()
    plain = [line.removeprefix("#").removeprefix(" ") for line in lines if line.startswith("#")]
    first = plain.index("apiVersion: dapr.io/v1alpha1")
    second = next(index for index, line in enumerate(plain) if "secretKeyRef:" in line and index > first)
    real = plain[first : plain.index("", first)]
    return real, plain[second:]


def test_the_commented_manifest_of_a_real_model_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its comment signs the manifest of a real model is in order once its variable is set."""
    run()
    Path("manifests/llm.yaml").write_text("\n".join(_commented()[0]) + "\n")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    code, lines = checked()
    assert code == 0
    assert "the environment variable OPENAI_API_KEY is not set" in lines[0]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert checked("--strict") == (0, ["1 component, 0 errors, 0 warnings"])


def test_the_commented_secret_store_works() -> None:
    """With the secretKeyRef in the place of the envRef and the store below, the key comes from the secrets file."""
    run()
    real, (reference, *store) = _commented()
    text = "\n".join([reference if "envRef" in line else line for line in real] + store) + "\n"
    Path("manifests/llm.yaml").write_text(text)
    Path("secrets.json").write_text('{"openai-key": "sk-secret"}')
    assert checked("--strict") == (0, ["2 components, 0 errors, 0 warnings"])
