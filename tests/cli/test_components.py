"""``jackfield components``: what a running host serves, as its operator sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner
from running import RunningHost, component

from jackfield.cli.client import HostError
from jackfield.cli.components import components
from jackfield.serving.network import Network


def run(url: str, *arguments: str) -> str:
    """Run the command in this process and return what it prints."""
    result = CliRunner().invoke(components, ["--url", url, *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with a good component, a bad one and a file that can't be read."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "a.yaml").write_text(component("hello"))
    (folder / "b.yaml").write_text("# a comment\n" + component("bad", temperature="hot", seed="x"))
    (folder / "c.yaml").write_text("a: 'b")
    with RunningHost(folder) as running:
        yield running


def test_the_table_tells_states_sources_and_what_is_wrong(host: RunningHost) -> None:
    """Each component has a line with its state, its problems below it, and files that can't be read come last."""
    folder = host.folder
    assert run(f"http://127.0.0.1:{host.port}").splitlines() == [
        f"{'NAME':5}  {'TYPE':17}  {'STATE':6}  SOURCE",
        f"{'hello':5}  conversation.echo  {'ready':6}  {folder}/a.yaml:1",
        f"{'bad':5}  conversation.echo  {'failed':6}  {folder}/b.yaml:2",
        f"  {folder}/b.yaml:11: spec.metadata.temperature: must be a number, not 'hot'; write a number",
        f"  {folder}/b.yaml:13: spec.metadata.seed: must be a whole number, not 'x'; write a number",
        "Files that can't be read:",
        f"  {folder}/c.yaml:1: quotes are opened and not closed; add the closing quote",
        f"generation {host.host.catalog.generation}",
    ]


def test_json_is_what_the_metadata_endpoint_says(host: RunningHost) -> None:
    """--json prints the member ``jackfield`` of the metadata endpoint, unchanged."""
    expected = host.request("GET", "/v1.0/metadata").json["jackfield"]
    assert json.loads(run(f"http://127.0.0.1:{host.port}", "--json")) == expected


def test_the_real_command_reads_its_url_from_a_variable(host: RunningHost) -> None:
    """``python -m jackfield components`` finds the host that JACKFIELD_URL names."""
    environment = os.environ | {"JACKFIELD_URL": f"http://127.0.0.1:{host.port}"}
    command = [sys.executable, "-m", "jackfield", "components"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split()[:3] == ["hello", "conversation.echo", "ready"]


def test_without_a_host_the_real_command_fails_in_one_line(tmp_path: Path) -> None:
    """Where no host answers, the exit code is 1 and standard error names the URL and the command that starts one."""
    url = f"unix:{tmp_path}/none"
    command = [sys.executable, "-m", "jackfield", "components", "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    fix = "start one with `jackfield serve`, or say with --url where it listens"
    assert done.stderr == f"jackfield: no host answers at {url} (No such file or directory); {fix}\n"
    assert (done.returncode, done.stdout) == (1, "")


def test_a_host_without_components_says_so(tmp_path: Path) -> None:
    """An empty folder gives no empty table."""
    with RunningHost(tmp_path) as running:
        output = run(f"http://127.0.0.1:{running.port}")
    assert output.splitlines()[0] == "No components."


def test_the_token_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with a token gets the one in DAPR_API_TOKEN; without it the text says which variable to set."""
    monkeypatch.delenv("DAPR_API_TOKEN", raising=False)
    with RunningHost(tmp_path, options={"api_token": "sesame"}) as running:
        url = f"http://127.0.0.1:{running.port}"
        with pytest.raises(HostError, match=r"wants an API token \(401\); set DAPR_API_TOKEN to the one"):
            run(url)
        monkeypatch.setenv("DAPR_API_TOKEN", "sesame")
        assert run(url).startswith("No components.")


def test_a_unix_socket_is_a_url_too(tmp_path: Path) -> None:
    """unix:/PATH asks the host that listens on that socket."""
    path = tmp_path / "host.socket"
    with RunningHost(tmp_path, Network(unix_socket=path)):
        assert run(f"unix:{path}").startswith("No components.")


def test_https_trusts_what_the_environment_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of an unknown CA is refused with the variable that makes it known, and taken once it is."""
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    chain, key, known = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    ca.cert_pem.write_to_path(str(known))
    folder = tmp_path / "manifests"
    folder.mkdir()
    with RunningHost(folder, Network(port=0, certificate=chain, private_key=key)) as running:
        url = f"https://127.0.0.1:{running.port}"
        with pytest.raises(HostError, match=r"can't be trusted \(.+\); name the file of its CA .* SSL_CERT_FILE$"):
            run(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(known))
        assert run(url).startswith("No components.")
