"""A process with an engine ends as it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)

PROGRAM = """
import asyncio, os, signal, sys
from jackfield import Build, ConversationRequest, Message, TextPart
from jackfield_llamacpp.component import LlamaCppConversation
from jackfield_llamacpp.pool import EnginePool
from jackfield_llamacpp.settings import LlamaCppSettings

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    build = Build("llm", "conversation.llamacpp", LlamaCppSettings(path=sys.argv[1]), os.environ, None)
    component = LlamaCppConversation(build, EnginePool())
    await component.start()
    message = Message(role="user", parts=(TextPart("Tell me a very long story."),))
    reply = component.stream(ConversationRequest(component="llm", messages=(message,), stream=True))
    await anext(reply)
    print("running", flush=True)
    if sys.argv[2] == "interrupt":
        async for _ in reply:
            pass
    await stop.wait()
    await component.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("how", "number", "code"),
    [("stop", signal.SIGTERM, 0), ("interrupt", signal.SIGINT, 1)],
    ids=["SIGTERM while a reply is written", "Ctrl-C, nothing closed"],
)
def test_a_signal_ends_the_process(how: str, number: int, code: int, model_file: Path) -> None:
    """The loop's own signal handlers work beside an engine, and neither it nor its threads keep the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(model_file), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    if how == "stop":
        assert (process.returncode, errors) == (code, "")
    else:
        assert process.returncode in {code, -signal.SIGINT}
        assert errors.splitlines()[-1] == "KeyboardInterrupt"


def test_importing_loads_no_engine() -> None:
    """Neither the plugin nor its component type loads the engine's library; only a start does."""
    check = (
        "import sys, jackfield_llamacpp.plugin, jackfield_llamacpp.component, jackfield_llamacpp.commands;"
        "sys.exit('xllamacpp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
