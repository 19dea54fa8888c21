"""``jackfield converse``: one question to a running host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import RunningHost, component
from scripted import Signal, streaming_plugin

from jackfield import ConversationRequest, Delta, Event, Finish, InvokeError, TextPart
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


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHost, Signal]]:
    """A host with a provider that ends its stream when a test says so, one of two choices, and two that break."""
    ending = Signal()

    async def slow(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("first "))
        await ending.wait()
        yield Delta(TextPart("last"))
        yield Finish("stop")

    async def two(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("other"), 1)
        yield Delta(TextPart("one"))
        yield Finish("stop")
        yield Finish("stop", 1)

    async def broken(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("half "))
        raise InvokeError("it fell over")

    async def refused(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        raise InvokeError("not today")
        yield

    streams = {"slow": slow, "two": two, "broken": broken, "refused": refused}
    folder = tmp_path_factory.mktemp("streams")
    manifests = [component("echo"), *(component(name, f"conversation.{name}") for name in streams)]
    (folder / "a.yaml").write_text("---\n".join(manifests))
    with RunningHost(folder, plugins=[streaming_plugin(**streams)]) as running:
        yield running, ending


def test_a_streamed_reply_is_printed_while_it_is_written(streaming: tuple[RunningHost, Signal]) -> None:
    """With --stream the first words are there before the last ones are written."""
    host, ending = streaming
    command = [sys.executable, "-m", "jackfield", "converse", "slow", "x", "--url", f"http://127.0.0.1:{host.port}"]
    with subprocess.Popen([*command, "--stream"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(len("first ")) == b"first "
        ending.set()
        assert process.stdout.read() == b"last\n"
        assert process.wait(20) == 0


def test_a_terminal_gets_a_stream(streaming: tuple[RunningHost, Signal]) -> None:
    """Where a person looks at the output, streaming is the default."""
    host, ending = streaming
    command = [sys.executable, "-m", "jackfield", "converse", "slow", "x", "--url", f"http://127.0.0.1:{host.port}"]
    ending.awaited.clear()
    ours, theirs = os.openpty()
    with subprocess.Popen(command, stdout=theirs) as process:
        os.close(theirs)
        assert os.read(ours, 100) == b"first "
        ending.set()
        assert os.read(ours, 100).startswith(b"last")
        assert process.wait(20) == 0
    os.close(ours)


@pytest.mark.parametrize("flag", ["--stream", "--no-stream"])
def test_both_ways_print_the_same(streaming: tuple[RunningHost, Signal], flag: str) -> None:
    """Text and further choices stand where they stand in a reply that is printed whole."""
    host, _ = streaming
    assert run(host, "echo", "Grüße", flag) == "Grüße\n"
    assert run(host, "two", "x", flag) == "one\nother\n"


@pytest.mark.parametrize(
    ("name", "printed", "said"), [("broken", "half \n", "fell over"), ("refused", "", "not today")]
)
def test_a_stream_that_fails_says_why(
    streaming: tuple[RunningHost, Signal], name: str, printed: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came is shown, and the error's own text tells the rest, before the first event and after it."""
    url = f"http://127.0.0.1:{streaming[0].port}"
    with pytest.raises(HostError, match=said):
        converse.main([name, "x", "--stream", "--url", url], standalone_mode=False)
    assert capsys.readouterr().out == printed


def test_json_and_stream_exclude_each_other(streaming: tuple[RunningHost, Signal]) -> None:
    """A whole reply can't be printed in pieces."""
    result = CliRunner().invoke(converse, ["echo", "x", "--json", "--stream"])
    assert (result.exit_code, "leave out --stream" in result.output) == (2, True)
