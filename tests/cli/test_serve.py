"""`jackfield serve` as operators run it: processes, signals, ports, sockets, TLS and daprd's spellings."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trustme
from model_server import ModelServer
from process import Process, serving
from running import Reply, component, send

from jackfield.cli.serve import _host_options, serve

BODY = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    path = folder / "echo.yaml"
    path.write_text(component("echo"))
    os.utime(path, (1, 1))
    return folder


def ask(process: Process, name: str = "echo") -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
    try:
        return send(connection, "POST", f"/v1.0-alpha2/conversation/{name}/converse", BODY)
    finally:
        connection.close()


def run(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))}
    return subprocess.run(
        [sys.executable, "-m", "jackfield", *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment | variables,
    )


SERVERS = pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])


@SERVERS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_running_replies_finish(folder: Path, server: str, number: int) -> None:
    """From the signal on new connections are refused; the running reply arrives whole; the exit code is 0."""
    with ModelServer(hold=True) as upstream:
        manifest = component("slow", "conversation.openai", key="k", endpoint=upstream.endpoint, model="done")
        path = folder / "slow.yaml"
        path.write_text(manifest)
        os.utime(path, (1, 1))
        with serving(folder, "--server", server, "--graceful-shutdown-seconds", "20") as process:
            process.wait_for("component loaded.*component=slow")
            idle = socket.create_connection(("127.0.0.1", process.port))
            replies: list[Reply] = []
            thread = threading.Thread(target=lambda: replies.append(ask(process, "slow")))
            thread.start()
            assert upstream.arrived.wait(30)
            process.signal(number)
            process.wait_for("msg=stopping")
            with pytest.raises(ConnectionError):
                while True:  # what the listener had already taken in is answered, what comes later is refused
                    socket.create_connection(("127.0.0.1", process.port), timeout=5).close()
            upstream.release()
            thread.join()
            assert process.exit_code() == 0
            assert idle.recv(1) == b""
            idle.close()

    assert replies[0].json["outputs"][0]["choices"][0]["message"]["content"] == "done"
    assert "msg=stopped" in process.log


@SERVERS
def test_a_reply_that_takes_too_long_is_cut_with_an_error(folder: Path, server: str) -> None:
    """When the budget is over the caller is told why, the upstream sees its socket close, and the exit code is 0."""
    with ModelServer(hold=True) as upstream:
        (folder / "slow.yaml").write_text(
            component("slow", "conversation.openai", key="k", endpoint=upstream.endpoint, model="never")
        )
        with serving(folder, "--server", server, "--graceful-shutdown-seconds", "0.2") as process:
            process.wait_for("component loaded.*component=slow")
            replies: list[Reply] = []
            thread = threading.Thread(target=lambda: replies.append(ask(process, "slow")))
            thread.start()
            assert upstream.arrived.wait(30)
            process.signal(signal.SIGTERM)
            thread.join()
            assert process.exit_code() == 0
            assert upstream.closed.wait(10)

    assert replies[0].status == 500
    assert "the host is stopping" in replies[0].json["message"]


def test_the_shutdown_route_stops_the_process(folder: Path) -> None:
    """POST /v1.0/shutdown answers 204 and the process ends with 0; forced, it ends with 1 after a moment."""
    for headers, code in (({}, 0), ({"dapr-force-shutdown": "true"}, 1)):
        with serving(folder) as process:
            connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
            assert send(connection, "POST", "/v1.0/shutdown", None, **headers).status == 204
            connection.close()
            assert code == process.exit_code()


def test_a_second_signal_ends_the_process_at_once(folder: Path) -> None:
    """Whoever asks twice doesn't wait for a reply that hangs: the exit code is 1."""
    with ModelServer(hold=True) as upstream:
        manifest = component("slow", "conversation.openai", key="k", endpoint=upstream.endpoint, model="never")
        (folder / "slow.yaml").write_text(manifest)
        with serving(folder, "--graceful-shutdown-seconds", "600") as process:
            process.wait_for("component loaded.*component=slow")
            body = json.dumps(BODY).encode()
            line = b"POST /v1.0-alpha2/conversation/slow/converse HTTP/1.1\r\n"
            head = line + b"Host: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
            with socket.create_connection(("127.0.0.1", process.port)) as connection:
                connection.sendall(head + body)
                assert upstream.arrived.wait(30)
                process.signal(signal.SIGINT)
                process.wait_for("msg=stopping")
                process.signal(signal.SIGINT)
                assert process.exit_code() == 1


def test_a_taken_port_names_port_and_option(folder: Path) -> None:
    """A port in use ends the start with one line that says which port and which option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "--manifests", str(folder), "--port", str(port))

    assert ended.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken by another program" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sighup_looks_at_the_folder(folder: Path) -> None:
    """SIGHUP finds a new manifest at once, and doesn't end the process."""
    with serving(folder, "--poll") as process:
        process.wait_for("component loaded.*component=echo")
        path = folder / "second.yaml"
        path.write_text(component("second"))
        os.utime(path, (1, 1))
        process.signal(signal.SIGHUP)
        process.wait_for("component loaded.*component=second")
        assert ask(process, "second").status == 200


def test_daprds_spellings_start_the_host(folder: Path, tmp_path: Path) -> None:
    """A command line written for daprd, with one dash, =true and options that mean nothing here, starts this."""
    config = tmp_path / "config.yaml"
    config.write_text("kind: Configuration\nspec:\n  features:\n  - name: HotReload\n    enabled: true\n")
    arguments = [
        "-app-id", "shop", "--resources-path", str(folder), "--dapr-listen-addresses", "127.0.0.1",
        "--dapr-grpc-port=50001", "--dapr-internal-grpc-port", "50002", "--metrics-port=9090", "--enable-metrics=false",
        "--enable-mtls", "--placement-host-address", "", "--log-level", "INFO", "--app-protocol=http", "--mode",
        "standalone", "--enable-api-logging=true", "--config", str(config), "--dapr-http-max-request-size", "1",
        "--disable-init-endpoints", "config,subscribe", "--unix-domain-socket", "",
    ]  # fmt: skip
    with serving(folder, *arguments) as process:
        assert ask(process).status == 200
        process.wait_for("scope=jackfield.api app_id=shop .*component=echo .*status=200")
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
        assert send(connection, "GET", "/v1.0/healthz?appid=shop").status == 204
        assert (
            "stream too large" in send(connection, "PUT", "/v1.0/metadata/key", b"x" * (1 << 20) + b"x").json["message"]
        )
        connection.close()


def test_options_come_from_the_environment_too(folder: Path, tmp_path: Path) -> None:
    """Every option has its JACKFIELD_ variable; a token from an --env-file guards the routes."""
    secrets = tmp_path / "secrets.env"
    secrets.write_text("# the token\nexport DAPR_API_TOKEN='t0ken'\n")
    variables = {"JACKFIELD_ALPHA1": "daprd", "JACKFIELD_LOG_FORMAT": "json", "JACKFIELD_ENV_FILE": str(secrets)}
    command = [sys.executable, "-m", "jackfield", "serve", "--manifests", str(folder), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment | variables) as popen:
        assert popen.stderr is not None
        lines = (json.loads(line) for line in popen.stderr)
        port = int(next(line["url"] for line in lines if line["msg"] == "serving").rpartition(":")[2])
        next(line for line in lines if line["msg"] == "component loaded")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        path = "/v1.0-alpha1/conversation/echo/converse"
        body = {"inputs": [{"content": "hello"}]}
        assert send(connection, "POST", path, body).status == 401
        assert send(connection, "POST", path, body, dapr_api_token="t0ken").status == 200
        connection.close()
        popen.terminate()
        rest = popen.stderr.read()
    assert popen.returncode == 0
    assert "t0ken" not in rest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--tls-key", __file__], "--tls-key is given without --tls-cert"),
        (["--max-body-size", "4Mib"], "4Mi"),
        (["--no-such-option"], "--no-such-option"),
        (["--prefer", "conversation.echo"], "TYPE=PLUGIN"),
        (["--host", "no.such.host.invalid"], "--host"),
        (["--host", "x" * 64], "it is no address; check --host"),
        (["--unix-socket", "/tmp/" + "x" * 120], "AF_UNIX path too long; check --unix-socket"),
        (["--graceful-shutdown-seconds", "nan"], "--graceful-shutdown-seconds"),
        (["--graceful-shutdown-seconds", "inf"], "--graceful-shutdown-seconds"),
        (["--env-file", sys.executable], "is not text in UTF-8"),
    ],
)
def test_a_wrong_option_is_one_clear_line(folder: Path, arguments: list[str], told: str) -> None:
    """A start that can't be is refused with the option's name and no traceback."""
    ended = run("serve", "--manifests", str(folder), *arguments)

    assert ended.returncode in {1, 2}
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


@SERVERS
def test_a_unix_socket(folder: Path, tmp_path: Path, server: str) -> None:
    """The host serves on a Unix socket, takes over one that a dead host left behind, and leaves none behind itself."""
    path = tmp_path / "j.sock"
    abandoned = socket.socket(socket.AF_UNIX)
    abandoned.bind(str(path))
    abandoned.close()
    with serving(folder, "--unix-socket", str(path), "--server", server) as process:
        process.wait_for("component loaded")
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(str(path))
        client.sendall(b"GET /v1.0/healthz/outbound HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 204")
        client.close()
        assert "is in the way" not in process.log
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
    assert not path.exists()


def test_a_socket_that_another_host_has_put_there_stays(folder: Path, tmp_path: Path) -> None:
    """A host that stops removes its own socket's file, not that of the host which has taken its place."""
    path = tmp_path / "j.sock"
    with serving(folder, "--unix-socket", str(path)) as process, socket.socket(socket.AF_UNIX) as other:
        path.unlink()
        other.bind(str(path))
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
    assert path.exists()


@SERVERS
def test_tls(folder: Path, tmp_path: Path, server: str) -> None:
    """With certificate and key the host speaks TLS; with a client CA it turns strangers away."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key, ca = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(ca))
    files = ["--tls-cert", str(certificate), "--tls-key", str(key), "--tls-client-ca", str(ca), "--server", server]
    with serving(folder, *files) as process:
        assert process.url.startswith("https://")
        process.wait_for("component loaded")
        known = ssl.create_default_context(cafile=str(ca))
        stranger = http.client.HTTPSConnection("127.0.0.1", process.port, timeout=30, context=known)
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            send(stranger, "GET", "/v1.0/healthz/outbound")
        stranger.close()
        authority.issue_cert("client@example.org").configure_cert(known)
        friend = http.client.HTTPSConnection("127.0.0.1", process.port, timeout=30, context=known)
        assert send(friend, "POST", "/v1.0-alpha2/conversation/echo/converse", BODY).status == 200
        friend.close()


@pytest.mark.parametrize("force", [False, True])
def test_the_factory_serves_the_same_app(folder: Path, force: bool) -> None:
    """`uvicorn --factory jackfield.asgi:create_app` takes its options from the variables and answers like serve."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JACKFIELD_", "DAPR_"))}
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "jackfield.asgi:create_app", "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            env=environment | {"JACKFIELD_MANIFESTS": str(folder), "JACKFIELD_ALPHA1": "daprd"},
            stderr=subprocess.DEVNULL,
        ) as popen,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=30)
        path = "/v1.0-alpha1/conversation/echo/converse"
        reply = send(connection, "POST", path, {"inputs": [{"content": "hello"}]})
        assert (reply.status, reply.json) == (200, {"outputs": [{"result": "hello"}]})
        headers = {"dapr-force-shutdown": "true"} if force else {}
        assert send(connection, "POST", "/v1.0/shutdown", **headers).status == 204
        connection.close()
        code = popen.wait(30)
    assert not force or code == 1


def test_strict_ends_a_start_with_a_failing_component(folder: Path) -> None:
    """With --strict a component that can't be built ends the process with 1 and is named; else the host serves."""
    (folder / "bad.yaml").write_text(component("bad", "conversation.openai"))
    with serving(folder, "--strict") as process:
        assert process.exit_code() == 1
        assert "bad (failed)" in process.log
    with serving(folder) as process:
        process.wait_for("component=bad.*state=failed")
        assert ask(process).status == 200


@pytest.mark.parametrize(("megabytes", "wanted"), [("-1", 4 << 20), ("0", 4 << 20), ("2", 2 << 20)])
def test_daprds_body_limit_counts_when_it_is_one(folder: Path, megabytes: str, wanted: int) -> None:
    """A script that passes daprd's limit as unset gets the default, not a host that refuses every body."""
    arguments = ["--manifests", str(folder), "--dapr-http-max-request-size", megabytes]
    given = serve.make_context("serve", arguments).params
    assert _host_options(given, {}).max_body_size == wanted
