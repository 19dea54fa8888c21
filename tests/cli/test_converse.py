"""``jackfield converse``: one question to a running host."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import RunningHost, component

from jackfield.cli.client import HostError
from jackfield.cli.converse import converse
from jackfield.testing import hang
from upstream import Upstream, running_upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """A provider that repeats what it is asked."""
    with running_upstream() as server:
        yield server


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[RunningHost]:
    """A host with echo, also under a name that needs quoting in a URL, and a component of the provider."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "a.yaml").write_text(component("echo"))
    (folder / "b.yaml").write_text(component("'my echo+1'"))
    (folder / "c.yaml").write_text(component("real", "conversation.openai", key="k", endpoint=upstream.endpoint))
    with RunningHost(folder) as running:
        yield running


def run(host: RunningHost, *arguments: str, text: bytes | None = None) -> str:
    """Run the command in this process and return what it prints."""
    url = f"http://127.0.0.1:{host.port}"
    result = CliRunner().invoke(converse, [*arguments, "--url", url], input=text, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("name", ["echo", "my echo+1"])
def test_the_reply_is_printed(host: RunningHost, name: str) -> None:
    """What the component answers is what comes out, under any name a component may have."""
    assert run(host, name, "Grüße, world") == "Grüße, world\n"


def test_a_system_message_comes_first(host: RunningHost) -> None:
    """--system reaches the component as the first message."""
    assert run(host, "echo", "question", "--system", "be short") == "be short\nquestion\n"


def test_a_hyphen_reads_standard_input(host: RunningHost) -> None:
    """TEXT - is whatever stands in standard input, in UTF-8."""
    assert run(host, "echo", "-", text="first\nzweite ß".encode()) == "first\nzweite ß\n"


def test_standard_input_that_is_no_text_is_refused(host: RunningHost) -> None:
    """Bytes that are no UTF-8 are not sent."""
    result = CliRunner().invoke(converse, ["echo", "-"], input=b"\xff")
    assert result.exit_code == 2
    assert "standard input is not UTF-8" in result.output


def test_generation_settings_reach_the_provider(host: RunningHost, upstream: Upstream) -> None:
    """--temperature and --max-tokens stand in the provider's request, and are left to the component if not given."""
    run(host, "real", "hello", "--temperature", "0", "--max-tokens", "7")
    body = upstream.requests[-1].body
    assert (body["temperature"], body.get("max_completion_tokens", body.get("max_tokens"))) == (0, 7)
    run(host, "real", "hello")
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & upstream.requests[-1].body.keys()


def test_json_is_the_whole_reply(host: RunningHost) -> None:
    """--json prints what the API answers."""
    assert json.loads(run(host, "echo", "one two", "--json")) == host.converse("echo", "one two").json


def test_an_error_has_the_api_s_code_and_text(host: RunningHost) -> None:
    """A refused request is told as the host tells it."""
    with pytest.raises(HostError) as caught:
        run(host, "nobody", "hello")
    assert str(caught.value) == "ERR_CONVERSATION_NOT_FOUND: failed finding conversation component nobody"


def test_the_real_command_prints_errors_on_standard_error(host: RunningHost) -> None:
    """``python -m jackfield converse`` exits with 1 and keeps standard output clean."""
    command = [sys.executable, "-m", "jackfield", "converse", "nobody", "hi", "--url", f"http://127.0.0.1:{host.port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "jackfield: ERR_CONVERSATION_NOT_FOUND: failed finding conversation component nobody\n"


def test_ctrl_c_takes_the_request_back(tmp_path: Path) -> None:
    """An interrupt ends the command at once, and the provider sees its connection close."""
    with running_upstream(hang) as upstream:
        (tmp_path / "a.yaml").write_text(component("slow", "conversation.openai", key="k", endpoint=upstream.endpoint))
        with RunningHost(tmp_path) as running:
            url = f"http://127.0.0.1:{running.port}"
            command = [sys.executable, "-m", "jackfield", "converse", "slow", "hello", "--url", url]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            upstream.wait_asked()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
            assert (process.returncode, output, errors.strip()) == (130, "", "")
            upstream.wait_closed()
