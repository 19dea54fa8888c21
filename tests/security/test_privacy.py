"""What people write: personal data of scrubbed requests goes nowhere, and no text at all goes into the log."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from raw_http import converse_path
from running import Reply, RunningHost, component

from jackfield import (
    Conversation,
    ConversationRequest,
    Event,
    RegisterComponents,
    RegisterObservers,
    Result,
    Settings,
    hookimpl,
)
from jackfield.builtin.cache.memory import MemoryStore
from jackfield.messages import Record
from jackfield.testing import Behaviour, Exchange, chat, hang
from jackfield_redis.testing import ValkeyServer, needed_server
from upstream import Upstream

PERSON = "canary.person@example.com"
CARD = "4111 1111 1111 1111"
TEXT = f"Write to {PERSON}, and pay with {CARD}"
CANARY = "canary-sentence-that-nobody-logs"
ENDS = ("answered", "refused", "cut", "rubbish", "too slow", "unreachable", "raised", "no JSON")
Log = Callable[..., io.StringIO]


def personal(data: bytes | str) -> bool:
    """Say whether something of the two is in a text."""
    text = data.decode(errors="replace") if isinstance(data, bytes) else data
    return any(part in text for part in (PERSON, "canary.person", CARD, CARD.replace(" ", "")))


async def refuse(exchange: Exchange) -> None:
    """Refuse, and repeat what was sent."""
    await exchange.send(400, {"error": {"message": f"can't make sense of {exchange.data.decode()}"}})


async def betray(exchange: Exchange) -> None:
    """Answer with personal data of its own."""
    message = {"role": "assistant", "content": f"Ask {PERSON}, with {CARD}."}
    await exchange.send(200, {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


async def cut(exchange: Exchange) -> None:
    """Begin to repeat what was sent, and break off."""
    await exchange.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + exchange.data)
    exchange.writer.transport.abort()


async def rubbish(exchange: Exchange) -> None:
    """Repeat what was sent as something that is no reply."""
    await exchange.send(200, {"choices": exchange.data.decode()})


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """A real Valkey."""
    needed_server()
    with ValkeyServer() as server:
        yield server


def ask(host: RunningHost, text: str, *, scrub: bool, stream: bool = False, name: str = "llm") -> Reply:
    """Say something, with input and reply to be scrubbed or not."""
    said = {"messages": [{"ofUser": {"content": [{"text": text}]}}], "scrubPII": scrub}
    body = {"inputs": [said], "scrubPII": scrub, "stream": stream, "cacheTTL": "10m"}
    return host.request("POST", converse_path(name), body)


class Kept:
    """A cache in memory or in a real Valkey, empty at first.

    Args:
        monkeypatch: notes what is put into memory.
        valkey: the server; None for memory.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, valkey: ValkeyServer | None) -> None:
        self._valkey = valkey
        self._noted: list[bytes] = []
        put = MemoryStore.set

        async def note(store: MemoryStore, key: str, value: bytes, ttl: float) -> None:
            self._noted += [key.encode(), value]
            await put(store, key, value, ttl)

        monkeypatch.setattr(MemoryStore, "set", note)
        if valkey is not None:
            valkey.command("FLUSHALL")

    def manifests(self, endpoint: str) -> str:
        """Write a component that keeps its replies here."""
        items = {"key": "k" * 20, "endpoint": endpoint}
        if self._valkey is None:
            return component("llm", "conversation.openai", **items)
        shared = component("shared", "cache.redis", url=self._valkey.url, timeout="5s")
        return component("llm", "conversation.openai", cache="shared", **items) + "---\n" + shared

    @property
    def entries(self) -> list[bytes]:
        """All keys and values."""
        if self._valkey is None:
            return self._noted
        keys: list[bytes] = self._valkey.command("KEYS", "*")
        return [*keys, *(self._valkey.command("DUMP", key) or b"" for key in keys)]


@pytest.fixture(params=["memory", "valkey"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A cache of either kind."""
    return Kept(monkeypatch, request.getfixturevalue("valkey") if request.param == "valkey" else None)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", [chat, refuse, cut, rubbish], ids=lambda behaviour: behaviour.__name__)
def test_personal_data_of_a_scrubbed_request_goes_nowhere(
    tmp_path: Path, written: Log, upstream: Upstream, kept: Kept, *, behaviour: Behaviour, stream: bool
) -> None:
    """Personal data of a scrubbed request reaches no provider, no key or value of a cache, no log and no error."""
    (tmp_path / "all.yaml").write_text(kept.manifests(upstream.endpoint))
    upstream.behave(behaviour)
    log = written()
    with RunningHost(tmp_path, options={"api_logging": True}) as host:
        for _ in range(2):
            reply = ask(host, TEXT, scrub=True, stream=stream)
            assert not personal(reply.body)
            assert not personal(repr(reply.headers))
        entries = kept.entries
    assert bool(upstream.requests)
    assert not any(personal(exchange.data) for exchange in upstream.requests)
    assert b"EMAIL_ADDRESS" in upstream.requests[0].data
    assert bool(entries) or behaviour is not chat
    assert not any(personal(entry) for entry in entries)
    assert not personal(log.getvalue())


def test_personal_data_of_a_scrubbed_reply_is_not_kept(
    tmp_path: Path, written: Log, upstream: Upstream, kept: Kept
) -> None:
    """What a provider tells of people is masked before it is kept, logged or sent, and in the second reply too."""
    (tmp_path / "all.yaml").write_text(kept.manifests(upstream.endpoint))
    upstream.behave(betray)
    log = written()
    with RunningHost(tmp_path, options={"api_logging": True}) as host:
        replies = [ask(host, "who?", scrub=True) for _ in range(2)]
        entries = kept.entries
    assert [reply.headers["x-jackfield-cache"] for reply in replies] == ["miss", "hit"]
    assert all(b"EMAIL_ADDRESS" in reply.body and not personal(reply.body) for reply in replies)
    assert entries
    assert not any(personal(entry) for entry in entries)
    assert not personal(log.getvalue())


def telltale() -> ModuleType:
    """Make a plugin that puts what it is asked into its exceptions, at every place it has."""

    class Telltale(Conversation[Settings]):
        async def converse(self, request: ConversationRequest) -> Result:
            raise RuntimeError(request.messages[-1].text) from ValueError(request.messages[-1].text)

        async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
            for each in Result.of_text(request.messages[-1].text).choices:
                raise KeyError(each.text)
                yield  # a generator

    @hookimpl
    def register_components(register: RegisterComponents) -> None:
        register.conversation("conversation.telltale", Telltale)

    @hookimpl
    def register_observers(register: RegisterObservers) -> None:
        def observe(record: Record) -> None:
            raise RuntimeError(CANARY + repr(record))

        register.request_finished(observe)

    module = ModuleType("telltale")
    vars(module).update(register_components=register_components, register_observers=register_observers)
    return module


@pytest.mark.parametrize(("form", "stream"), [("text", False), ("json", True)])
@pytest.mark.parametrize("way", ENDS)
def test_no_text_is_logged(
    tmp_path: Path, written: Log, upstream: Upstream, way: str, form: str, *, stream: bool
) -> None:
    """No word of a request or a reply is in the log at its most talkative, however the request ends."""
    ways = {"refused": refuse, "cut": cut, "rubbish": rubbish, "too slow": hang}
    upstream.behave(ways.get(way, chat))
    endpoint = "http://127.0.0.1:1/v1" if way == "unreachable" else upstream.endpoint
    patience = "200ms" if way == "too slow" else "20s"
    llm = component("llm", "conversation.openai", key="k" * 20, endpoint=endpoint, silenceTimeout=patience)
    (tmp_path / "all.yaml").write_text(f"{llm}---\n{component('telltale', 'conversation.telltale')}")
    log = written(form)
    with RunningHost(tmp_path, options={"api_logging": True}, plugins=[telltale()]) as host:
        if way == "no JSON":
            assert host.request("POST", converse_path("llm"), b'{"inputs": "' + CANARY.encode()).status == 400
        else:
            reply = ask(host, CANARY, scrub=False, stream=stream, name="telltale" if way == "raised" else "llm")
            assert (reply.status == 200) == (way == "answered")
            # A provider's own words are the caller's; a plugin's exception is nobody's.
            assert CANARY.encode() not in reply.body or way in {"answered", "refused"}
    assert "converse" in log.getvalue()
    assert CANARY not in log.getvalue()
    assert CANARY[7:] not in log.getvalue()
