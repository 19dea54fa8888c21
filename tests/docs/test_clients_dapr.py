"""The page's clients that use the Dapr SDK, run as the page has them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from dapr.conf import settings
from markdown import ROOT, Block, page

from jackfield import (
    Choice,
    Conversation,
    ConversationRequest,
    RegisterComponents,
    Result,
    Settings,
    ToolCall,
    hookimpl,
)
from jackfield.testing import RunningHost

BLOCKS = {block.told("client"): block for block in page("docs/clients.md").blocks if block.language == "python"}


@pytest.fixture(name="serve")
def _serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunningHost]:
    """Make a host that the SDK finds at the ports it is told; the page's are the default ones."""

    def serve(folder: Path, *plugins: ModuleType, allowed: tuple[str, ...]) -> RunningHost:
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        monkeypatch.setattr(settings, "DAPR_GRPC_PORT", port)
        options = {
            "environment": dict(os.environ),
            "plugins": ("grpc", *allowed),
            "service_options": {"dapr-grpc-port": str(port)},
        }
        return RunningHost(folder, options=options, plugins=plugins, services=True)

    return serve


def run(block: Block, host: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a block's code for a host."""
    monkeypatch.setattr(settings, "DAPR_HTTP_PORT", host.port)
    exec(compile(block.text, f"docs/clients.md:{block.line}", "exec"), {"__name__": "client"})


def test_text_of_the_embedded_model(
    serve: Callable[..., RunningHost], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a fresh clone serves answers the page's code."""
    with serve(ROOT / "manifests", allowed=("llamacpp", "echo", "presidio")) as host:
        run(BLOCKS["dapr"], host, monkeypatch)
    assert "France" in capsys.readouterr().out


class Forecast(Conversation[Settings]):
    """Calls the tool, and then repeats its result."""

    async def converse(self, request: ConversationRequest) -> Result:
        last = request.messages[-1]
        if last.role == "tool":
            return Result.of_text(last.text)
        (tool,) = request.tools
        call = ToolCall("c1", tool.name, '{"city": "Bremen"}')
        return Result((Choice(tool_calls=(call,), finish_reason="tool_calls"),))


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register the component type."""
    register.conversation("conversation.forecast", Forecast)


def test_tools(
    serve: Callable[..., RunningHost],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The function is called with what the model says, and its result goes back."""
    module = ModuleType("forecast")
    module.register_components = register_components  # type: ignore[attr-defined]
    text = (ROOT / "manifests/echo.yaml").read_text("utf-8")
    text = text.replace("name: echo", "name: llm").replace("conversation.echo", "conversation.forecast")
    (tmp_path / "llm.yaml").write_text(text, encoding="utf-8")
    with serve(tmp_path, module, allowed=()) as host:
        run(BLOCKS["dapr-tools"], host, monkeypatch)
    assert capsys.readouterr().out == "It rains in Bremen.\n"
