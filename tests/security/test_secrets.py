"""Secrets, given in every way there is, to a provider that repeats them: nobody but the provider ever sees one."""

from __future__ import annotations

import http.client
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from evidence import everything_logged
from process import Process, serving
from running import RunningHost, component, converse_on, get_on

from jackfield import Build, Conversation, ConversationRequest, RegisterComponents, Result, Settings, hookimpl
from jackfield.settings import Secret
from jackfield.testing import Behaviour, Exchange, chat
from upstream import Upstream, running_upstream

WAYS = ("inline", "variable", "env-store", "file-store", "header", "default")
SECRETS = {way: f"sk-canary-{way}-0123456789" for way in WAYS}
TOKEN = "canary-token-0123456789"
VARIABLES = {
    "CANARY_VARIABLE": SECRETS["variable"],
    "CANARY_STORED": SECRETS["env-store"],
    "DAPR_API_TOKEN": TOKEN,
}


async def repeat(exchange: Exchange) -> None:
    """Refuse, and tell all that was sent."""
    said = f"no key like {exchange.headers['authorization']} {exchange.headers.get('x-team', '')}, in {exchange.data!r}"
    await exchange.send(401, {"error": {"message": said}})


async def stream_and_break(exchange: Exchange) -> None:
    """Begin a stream, and tell what was sent in an error inside it."""
    error = {"error": {"message": f"lost {exchange.headers['authorization']} {exchange.headers.get('x-team', '')}"}}
    begun = {"choices": [{"index": 0, "delta": {"content": "x"}}]}
    await exchange.send_events([b"data: %s\n\n" % json.dumps(piece).encode() for piece in (begun, error)])


def manifests(folder: Path, endpoint: str) -> None:
    """Write one component for each way to give a secret, and some that fail."""
    store = folder.parent / "secrets.json"
    store.write_text(json.dumps({"stored": SECRETS["file-store"]}))

    def llm(name: str, key: str, more: str = "") -> str:
        head = component(name, "conversation.openai", endpoint=endpoint)
        return f"{head}  - name: key\n    {key}\n{more}"

    headers = json.dumps({"X-Team": SECRETS["header"]})
    documents = [
        component("in-env", "secretstores.local.env"),
        component("in-file", "secretstores.local.file", secretsFile=str(store)),
        llm("inline", f"value: {SECRETS['inline']}"),
        llm("variable", "envRef: CANARY_VARIABLE"),
        llm("env-store", "secretKeyRef: {name: CANARY_STORED}", "auth: {secretStore: in-env}\n"),
        llm("file-store", "secretKeyRef: {name: stored}", "auth: {secretStore: in-file}\n"),
        llm("header", "value: another-key-0", f"  - name: headers\n    value: '{headers}'\n"),
        llm("wrong-type", f"value: [{SECRETS['inline']}]"),
        llm("wrong-place", "envRef: CANARY_VARIABLE", "  - name: silenceTimeout\n    envRef: CANARY_VARIABLE\n"),
        llm("wrong-address", f"value: {SECRETS['inline']}").replace(endpoint, f"ftp://{SECRETS['inline']}@x"),
        llm("no-type", f"value: {SECRETS['inline']}").replace("conversation.openai", "conversation.opena"),
        llm("line-break", f'value: "{SECRETS["inline"]}\\n"'),
    ]
    (folder / "all.yaml").write_text("---\n".join(documents))
    (folder / "broken.yaml").write_text(llm("broken", f"value: {SECRETS['inline']}: {SECRETS['inline']}"))


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """A provider that repeats what it is sent."""
    with running_upstream(repeat) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Path:
    """The manifests."""
    made = tmp_path_factory.mktemp("host") / "manifests"
    made.mkdir()
    manifests(made, upstream.endpoint)
    return made


@pytest.fixture(scope="module")
def talkative(folder: Path) -> Iterator[Process]:
    """A host in a process of its own that logs all it can."""
    with serving(folder, "--log-level", "debug", "--enable-api-logging", **VARIABLES) as process:
        process.wait_for("component loaded.*component=header ")
        yield process


def shown(text: str | bytes) -> list[str]:
    """Return the secrets that a text shows, whole or but for their ends."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return [secret for secret in (*SECRETS.values(), TOKEN) if secret in text or secret[3:-3] in text]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "default"])
@pytest.mark.parametrize("behaviour", [repeat, stream_and_break])
def test_a_provider_that_repeats_a_secret_tells_nobody(
    talkative: Process, upstream: Upstream, way: str, behaviour: Behaviour
) -> None:
    """Whatever a provider says of a key or a header comes back with asterisks, whole, streamed and as OpenAI's API."""
    upstream.behave(behaviour)
    for accept in ("application/json", "text/event-stream")[behaviour is stream_and_break :]:
        reply = converse_on(talkative.port, way, "hello", accept=accept, dapr_api_token=TOKEN)
        assert b"***" in reply.body
        assert not shown(reply.body)
        assert not shown(repr(reply.headers))
    told = repr([exchange.headers for exchange in upstream.requests])
    assert SECRETS[way] in told, "the provider itself never got it"
    assert TOKEN not in told


def test_metadata_shows_no_secret(talkative: Process) -> None:
    """The metadata document holds no secret, neither of components that serve nor of those that fail."""
    connection = http.client.HTTPConnection("127.0.0.1", talkative.port, timeout=30)
    for path in ("/v1.0/metadata", "/v1/models", "/v1.0/healthz"):
        connection.request("GET", path, headers={"dapr-api-token": TOKEN})
        body = connection.getresponse().read()
        assert body
        assert not shown(body)
    connection.close()
    assert get_on(talkative.port, "/v1.0/metadata").status == 401


@pytest.mark.parametrize("way", ["wrong-type", "wrong-place", "wrong-address", "no-type", "line-break", "broken"])
def test_a_component_that_fails_shows_no_secret(talkative: Process, way: str) -> None:
    """The cause why a component can't be built names the setting and not what stands in it."""
    reply = converse_on(talkative.port, way, "hello", dapr_api_token=TOKEN)
    assert reply.status in {400, 500}
    assert not shown(reply.body)


@pytest.mark.parametrize(
    "command",
    [
        *(
            ["check"],
            ["check", "--json"],
            ["schema"],
            ["plugins", "--json"],
            ["components"],
            ["converse", "inline", "hi"],
        ),
    ],
    ids=" ".join,
)
def test_no_command_shows_a_secret(talkative: Process, folder: Path, command: list[str]) -> None:
    """What commands print, about good manifests and bad ones, holds no secret."""
    environment = {**os.environ, **VARIABLES, "JACKFIELD_URL": talkative.url, "JACKFIELD_MANIFESTS": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "jackfield", *command], env=environment, capture_output=True, check=False, timeout=60
    )
    assert done.stdout + done.stderr
    assert not shown(done.stdout)
    assert not shown(done.stderr)


def test_the_log_shows_no_secret(talkative: Process, upstream: Upstream) -> None:
    """The log at its most talkative, of starts, refusals, reloads and the end, holds no secret."""
    upstream.behave(chat)
    assert converse_on(talkative.port, "inline", "hello", dapr_api_token=TOKEN).status == 200
    talkative.wait_for("scope=jackfield.api.*status=200")
    assert not shown(talkative.log)


class CarelessSettings(Settings):
    """A secret, and where to tell it."""

    key: Secret
    fails: str = ""


class Careless(Conversation[CarelessSettings]):
    """Tells its secret wherever it can."""

    Settings = CarelessSettings

    def __init__(self, build: Build[CarelessSettings]) -> None:
        super().__init__(build)
        self.fail("init")

    def fail(self, where: str) -> None:
        """Raise with the secret in the text, where the manifest says so."""
        if self.settings.fails == where:
            key = self.settings.key.get_secret_value()
            raise RuntimeError(f"no luck with {key}") from ValueError(key)

    async def start(self) -> None:
        """Fail with it."""
        self.fail("start")

    async def converse(self, request: ConversationRequest) -> Result:
        """Fail with it."""
        self.fail("converse")
        return Result.of_text(repr((self, self.settings, request)))

    async def close(self) -> None:
        """Fail with it."""
        self.fail("close")


@pytest.mark.parametrize("where", ["init", "start", "converse", "close", ""])
def test_an_exception_with_a_secret_in_it_is_told_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    """An exception of a plugin is told by its kind and place: its text, its cause and its frames' values are not."""

    @hookimpl
    def register_components(register: RegisterComponents) -> None:
        register.conversation("conversation.careless", Careless)

    plugin = ModuleType("careless")
    vars(plugin)["register_components"] = register_components
    (tmp_path / "c.yaml").write_text(component("c", "conversation.careless", key=SECRETS["inline"], fails=where))
    with caplog.at_level(logging.DEBUG):
        with RunningHost(tmp_path, plugins=[plugin]) as host:
            reply = host.converse("c")
            metadata = host.request("GET", "/v1.0/metadata").body
            (tmp_path / "c.yaml").unlink()
        assert reply.status == {"": 200, "close": 200, "converse": 500}.get(where, 400)
        assert not shown(reply.body)
        assert not shown(metadata)
        logged = "\n".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
        assert not shown(logged)
        assert not where or where == "close" or "RuntimeError" in logged + everything_logged(caplog)
