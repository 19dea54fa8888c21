"""What several tests of this plugin need: requests, and hosts with canned replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

import pytest
from openai import OpenAI

from jackfield import Conversation, ConversationRequest, Headers, Record, RegisterComponents, Result, Settings, hookimpl
from jackfield.frontends import Call, ComponentView, HostView, OverridePolicy
from jackfield.testing import CannedHost, RunningHost
from jackfield_openai_api import ChatCompletions

pytest_plugins = ["jackfield.testing"]

USER = {"role": "user", "content": "hi"}
ALL = frozenset(
    {"temperature", "max_tokens", "top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "n"}
)

Decode: TypeAlias = Callable[..., ConversationRequest]
ServeTaker: TypeAlias = Callable[..., "Taker"]


class View:
    """As much of a host as the reading of a request asks for."""

    def components(self) -> tuple[ComponentView, ...]:
        """Return one component, whose name holds a slash."""
        return (ComponentView(name="team/llm", type_name="conversation.echo", version="v1"),)

    def allows(self, api: str, version: str, protocol: str) -> bool:
        """Say that everything may be served."""
        return True


@pytest.fixture(name="decode")
def _decode() -> Decode:
    """Read a request of one user message, with the members given."""

    def decode(allowed: frozenset[str] = ALL, /, *, explicit: bool = False, **members: Any) -> ConversationRequest:
        body = {"model": "llm", "messages": [USER], **members}
        view = cast("HostView", View())
        call = Call(body=json.dumps(body).encode(), headers=Headers(), record=Record(request_id="r1"), host=view)
        return ChatCompletions().read(call).request(OverridePolicy(allowed, explicit=explicit))

    return decode


@pytest.fixture(name="client")
def _client(host: CannedHost) -> Generator[OpenAI, None, None]:
    """OpenAI's own client for a host with canned replies."""
    with OpenAI(base_url=f"{host.url}/v1", api_key="any", max_retries=0) as client:
        yield client


class Taker:
    """A running host whose component ``taker`` repeats and sends on what nobody models.

    Args:
        folder: where the manifest goes.
        options: those of ``HostOptions``.
        items: the manifest's.
    """

    def __init__(self, folder: Path, options: dict[str, Any], items: dict[str, Any]) -> None:
        self.asked: list[ConversationRequest] = []
        manifest = {
            "apiVersion": "dapr.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": "taker"},
            "spec": {
                "type": "conversation.taker",
                "version": "v1",
                "metadata": [{"name": name, "value": value} for name, value in items.items()],
            },
        }
        (folder / "taker.yaml").write_text(json.dumps(manifest), encoding="utf-8")
        self.running = RunningHost(folder, options=options, plugins=(self._module(),))

    @property
    def url(self) -> str:
        """The base address of the API."""
        return f"http://127.0.0.1:{self.running.port}/v1"

    def _module(self) -> ModuleType:
        asked = self.asked

        class Component(Conversation[Settings]):
            takes_extra = True

            async def converse(self, request: ConversationRequest) -> Result:
                asked.append(request)
                return Result.of_text(request.messages[-1].text, model=request.model or "own")

        @hookimpl
        def register_components(register: RegisterComponents) -> None:
            register.conversation("conversation.taker", Component)

        module = ModuleType("taker")
        module.register_components = register_components  # type: ignore[attr-defined]
        return module


@pytest.fixture(name="serve_taker")
def _serve_taker(tmp_path: Path) -> Generator[ServeTaker, None, None]:
    """Start a host with a component that takes everything; ``items`` are its manifest's."""
    running: list[RunningHost] = []

    def serve(*, items: dict[str, Any] | None = None, **options: Any) -> Taker:
        folder = tmp_path / "taker"
        folder.mkdir()
        taker = Taker(folder, options, items or {})
        running.append(taker.running.__enter__())
        return taker

    yield serve
    for host in running:
        host.__exit__(None, None, None)
