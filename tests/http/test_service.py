"""Health, metadata and shutdown (contract sheet, section 3)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from raw_http import message, read_reply
from running import RunningHost, component

from jackfield.serving.network import Network

SERVERS = pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
KEY = "sk-quite-secret-0123456789"
UNKNOWN = "conversation.nonsense"


def write(folder: Path, name: str, text: str) -> None:
    """Write a manifest whole, as editors do: the host never sees half of it."""
    draft = folder / f".{name}.draft"
    draft.write_text(text)
    draft.rename(folder / f"{name}.yaml")


def until_generation(host: RunningHost, above: int) -> dict[str, Any]:
    """Ask for the metadata until a newer catalog serves; the host's own second is the longest wait."""
    for _ in range(5000):
        document: dict[str, Any] = host.request("GET", "/v1.0/metadata").json
        if document["jackfield"]["generation"] > above:
            return document
    raise AssertionError("no newer catalog")


def generation(host: RunningHost) -> int:
    """Return the generation that serves."""
    number: int = host.request("GET", "/v1.0/metadata").json["jackfield"]["generation"]
    return number


@SERVERS
def test_health_names_what_is_missing_until_it_is_there(tmp_path: Path, server: str) -> None:
    """Readiness is 500 naming each component that failed, 204 once they are mended, and stays so after a bad edit."""
    write(tmp_path, "good", component("good"))
    write(tmp_path, "bad", component("bad", UNKNOWN))
    write(tmp_path, "worse", component("worse", "conversation.openai"))
    write(tmp_path, "optional", component("optional", UNKNOWN, extra="  ignoreErrors: true\n"))
    with RunningHost(tmp_path, Network(port=0, server=server)) as host:
        reply = host.request("GET", "/v1.0/healthz")
        assert (reply.status, reply.headers["content-type"]) == (500, "application/json")
        assert reply.json == {
            "errorCode": "ERR_HEALTH_NOT_READY",
            "message": "dapr is not ready: [bad (failed) worse (failed)]",
        }
        assert host.request("GET", "/v1.0/healthz/outbound").status == 204
        assert host.converse("good").status == 200

        before = generation(host)
        write(tmp_path, "bad", component("bad"))
        until_generation(host, before)
        reply = host.request("GET", "/v1.0/healthz")
        assert (reply.status, reply.json["message"]) == (500, "dapr is not ready: [worse (failed)]")

        before = generation(host)
        (tmp_path / "worse.yaml").unlink()
        until_generation(host, before)
        reply = host.request("GET", "/v1.0/healthz")
        assert (reply.status, reply.body) == (204, b"")

        before = generation(host)
        write(tmp_path, "good", component("good", UNKNOWN))
        write(tmp_path, "new", component("new", UNKNOWN))
        until_generation(host, before)
        assert host.request("GET", "/v1.0/healthz").status == 204


def test_a_file_that_cannot_be_read_keeps_the_host_unready(tmp_path: Path) -> None:
    """A file of the first start that doesn't parse is named until it does or is gone."""
    (tmp_path / "half.yaml").write_text("apiVersion: dapr.io/v1alpha1\nkind: [")
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path) as host:
        reply = host.request("GET", "/v1.0/healthz")
        assert reply.status == 500
        assert "half.yaml (unreadable)" in reply.json["message"]
        assert "echo" not in reply.json["message"]
        assert host.converse("echo").status == 200
        (file,) = host.request("GET", "/v1.0/metadata").json["jackfield"]["files"]
        assert "half.yaml" in file


@SERVERS
def test_a_host_without_components_is_ready(tmp_path: Path, server: str) -> None:
    """Nothing to build is nothing to wait for, even where the folder is missing."""
    with RunningHost(tmp_path / "absent", Network(port=0, server=server)) as host:
        assert host.request("GET", "/v1.0/healthz").status == 204
        reply = host.request("GET", "/v1.0/metadata")
        assert "components" not in reply.json


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 204), ("?appid=shop", 204), ("?appid=other", 500), ("?appid=", 500), ("?x=1&appid=SHOP", 500)],
)
def test_health_can_ask_for_the_app(tmp_path: Path, query: str, status: int) -> None:
    """A client may check that it talks to its own sidecar."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, options={"app_id": "shop"}) as host:
        reply = host.request("GET", f"/v1.0/healthz{query}")
        assert reply.status == status
        if status == 500:
            assert reply.json == {
                "errorCode": "ERR_HEALTH_APPID_NOT_MATCH",
                "message": "dapr app-id does not match",
            }


@SERVERS
def test_the_metadata_document_has_daprs_shape(tmp_path: Path, server: str) -> None:
    """Dapr's keys are as section 3.1 has them, empty ones are left out, and ours stand in one member."""
    upper = component("upper", "conversation.ECHO").replace("version: v1", "version: v0")
    (tmp_path / "a.yaml").write_text(component("echo") + "---\n" + upper)
    (tmp_path / "b.yaml").write_text(component("none").replace("  version: v1\n", ""))
    (tmp_path / "c.yaml").write_text(component("broken", UNKNOWN))
    with RunningHost(tmp_path, Network(port=0, server=server), {"app_id": "shop"}) as host:
        reply = host.request("GET", "/v1.0/metadata")
    assert (reply.status, reply.headers["content-type"], reply.body[-1:]) == (200, "application/json", b"\n")
    document = reply.json
    ours = document.pop("jackfield")
    assert re.fullmatch(r"\d+\.\d+\.\d+(-rc\.\d+)?", document["runtimeVersion"])
    assert document == {
        "id": "shop",
        "runtimeVersion": document["runtimeVersion"],
        "enabledFeatures": ["HotReload"],
        "components": [
            {"name": "echo", "type": "conversation.echo", "version": "v1"},
            {"name": "upper", "type": "conversation.ECHO", "version": "v0"},
            {"name": "none", "type": "conversation.echo", "version": ""},
        ],
        "extended": {"daprRuntimeVersion": document["runtimeVersion"]},
    }
    assert list(document)[:2] == ["id", "runtimeVersion"]
    assert {entry["name"]: entry["state"] for entry in ours["components"]} == {
        "echo": "ready",
        "upper": "ready",
        "none": "ready",
        "broken": "failed",
    }
    (problem,) = next(entry["problems"] for entry in ours["components"] if entry["name"] == "broken")
    assert "c.yaml:" in problem
    assert UNKNOWN in problem
    assert {"name": "echo", "version": "0.1.0", "state": "loaded", "reason": ""} in ours["plugins"]


def test_a_secret_store_shows_its_capability(tmp_path: Path) -> None:
    """Only what a component type declares stands in ``capabilities``; conversations have none."""
    (tmp_path / "secrets.json").write_text('{"openai": {"key": "x"}}')
    store = component(
        "vault", "secretstores.local.file", secretsFile=str(tmp_path / "secrets.json"), multiValued="true"
    )
    (tmp_path / "a.yaml").write_text(store + "---\n" + component("echo"))
    with RunningHost(tmp_path) as host:
        listed = {entry["name"]: entry for entry in host.request("GET", "/v1.0/metadata").json["components"]}
    assert listed["vault"]["capabilities"] == ["MULTIPLE_KEY_VALUES_PER_SECRET"]
    assert "capabilities" not in listed["echo"]


def test_without_reload_the_feature_is_not_shown(tmp_path: Path) -> None:
    """``enabledFeatures`` names what is on."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, options={"reload": False}) as host:
        assert "enabledFeatures" not in host.request("GET", "/v1.0/metadata").json


@SERVERS
def test_a_value_put_shows_in_the_document(tmp_path: Path, server: str) -> None:
    """PUT keeps the raw text of the body, whatever its header says, and a later one replaces it."""
    with RunningHost(tmp_path, Network(port=0, server=server)) as host:
        for key, value in [("cliPID", "42"), ("appCommand", "python app.py"), ("empty", ""), ("cliPID", "43")]:
            reply = host.request("PUT", f"/v1.0/metadata/{key}", value, content_type="application/json")
            assert (reply.status, reply.body) == (204, b"")
        assert host.request("PUT", "/v1.0/metadata/a%20b/", "caf\u00e9".encode()).status == 204
        assert host.request("PUT", "/v1.0/metadata/daprRuntimeVersion", "0.0.1").status == 204
        document = host.request("GET", "/v1.0/metadata").json
        extended = document["extended"]
        assert extended.pop("daprRuntimeVersion") == document["runtimeVersion"]
        assert extended == {"cliPID": "43", "appCommand": "python app.py", "empty": "", "a b": "caf\u00e9"}


def test_a_value_put_is_bounded(tmp_path: Path) -> None:
    """A value over the limit, or no text, is refused; nothing of it is kept."""
    with RunningHost(tmp_path, options={"max_body_size": 1000}) as host:
        for value, cause in [(b"x" * 1001, "stream too large"), (b"\xff", "no UTF-8 text")]:
            reply = host.request("PUT", "/v1.0/metadata/key", value)
            assert (reply.status, reply.json["errorCode"]) == (400, "ERR_BODY_READ")
            assert cause in reply.json["message"]
        assert list(host.request("GET", "/v1.0/metadata").json["extended"]) == ["daprRuntimeVersion"]


def test_no_secret_stands_in_any_document(tmp_path: Path) -> None:
    """Neither keys of a manifest nor what a secret store gave is told, not even where it is a wrong value."""
    (tmp_path / "secrets.json").write_text(json.dumps({"openai": KEY + "-file"}))
    plain = component("plain", "conversation.openai", key=KEY)
    store = component("vault", "secretstores.local.file", secretsFile=str(tmp_path / "secrets.json"))
    stored = (
        component("stored", "conversation.openai", key="x").replace(
            'value: "x"', "secretKeyRef: {name: openai, key: openai}"
        )
        + "auth:\n  secretStore: vault\n"
    )
    broken = component("broken", "conversation.openai", key=KEY, apiType="nonsense") + "".join(
        f"  - name: {name}\n    secretKeyRef: {{name: openai, key: openai}}\n" for name in ("timeout", "endpoint", "x")
    )
    broken += "auth:\n  secretStore: vault\n"
    (tmp_path / "a.yaml").write_text(f"{plain}---\n{store}---\n{stored}---\n{broken}")
    with RunningHost(tmp_path, options={"api_token": KEY + "-token"}) as host:
        token = KEY + "-token"
        document = host.request("GET", "/v1.0/metadata", dapr_api_token=token)
        states = {entry["name"]: entry["state"] for entry in document.json["jackfield"]["components"]}
        assert states == {"plain": "ready", "vault": "ready", "stored": "ready", "broken": "failed"}
        replies = [
            document,
            host.request("GET", "/v1.0/healthz"),
            host.converse("broken", dapr_api_token=token),
            host.converse("nobody", dapr_api_token=token),
        ]
    assert [reply.status for reply in replies] == [200, 500, 400, 400]
    for reply in replies:
        assert KEY.encode() not in reply.body
        assert KEY not in repr(reply.headers)


def test_a_call_of_a_failed_component_says_why(tmp_path: Path) -> None:
    """A component that could not be built answers NOT_FOUND with its file, line and cause."""
    (tmp_path / "a.yaml").write_text(component("bad", UNKNOWN))
    with RunningHost(tmp_path) as host:
        reply = host.converse("bad")
        assert (reply.status, reply.json["errorCode"]) == (400, "ERR_CONVERSATION_NOT_FOUND")
        assert re.match(
            r"failed finding conversation component bad: \S+a\.yaml:\d+: spec\.type: .*conversation\.nonsense",
            reply.json["message"],
        )


def test_a_component_of_another_kind_is_no_conversation(tmp_path: Path) -> None:
    """A secret store can't be talked to, and the error says what it is."""
    (tmp_path / "a.yaml").write_text(component("env", "secretstores.local.env"))
    with RunningHost(tmp_path) as host:
        reply = host.converse("env")
        assert (reply.status, reply.json["errorCode"]) == (400, "ERR_CONVERSATION_NOT_FOUND")
        assert reply.json["message"].endswith("env is a secretstores.local.env, not a conversation")


@SERVERS
def test_shutdown_answers_and_then_stops(tmp_path: Path, server: str) -> None:
    """POST /v1.0/shutdown is 204, the connection ends, and new ones are refused."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with RunningHost(tmp_path, Network(port=0, server=server)) as host:
        with host.connect() as connection:
            connection.sendall(message("POST", "/v1.0/shutdown"))
            assert read_reply(connection).status == 204
            assert connection.recv(1) == b""
        host.join()
        with pytest.raises(ConnectionRefusedError):
            host.connect()
