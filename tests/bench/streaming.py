"""What a streamed piece costs beyond the bare server's, and what 500 streams at once take of memory."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from measuring import VoidError
from part import Options, Report
from plugin_site import Site
from processes import Measured, host, script
from requested import manifest

PIECES = 2000
STREAMS = 500
LIMIT_PIECE = 20.0
LIMIT_MEMORY = 250.0
PLUGIN = f"""
import asyncio
from jackfield import Conversation, Delta, Finish, Settings, TextPart, hookimpl

class Fast(Conversation[Settings]):
    async def stream(self, request):
        for _ in range({PIECES}):
            yield Delta(TextPart("token "))
        yield Finish("stop")

class Long(Conversation[Settings]):
    async def stream(self, request):
        yield Delta(TextPart("token "))
        await asyncio.Event().wait()

@hookimpl
def register_components(register):
    register.conversation("conversation.fast", Fast)
    register.conversation("conversation.long", Long)
"""
BODY = b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"Tell me a story"}]}}]}],"stream":true}'
LAST = b"0\r\n\r\n"


async def ask(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for a stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(BODY)) + BODY
    )
    return reader, writer


async def read(port: int, path: str, streams: int) -> None:
    """Read some streams, one after the other, to their ends; a reply of another length voids the run."""
    for _ in range(streams):
        reader, writer = await ask(port, path)
        whole = bytearray()
        while not whole.endswith(LAST):
            seen = await reader.read(1 << 20)
            whole += seen
            if not seen or not whole.startswith(b"HTTP/1.1 200"):
                raise VoidError("a stream was cut")
        writer.close()
        count = whole.count(b'"token "')
        if count != PIECES:
            raise VoidError(f"{count} pieces instead of {PIECES}")


def piece(process: Measured, path: str, streams: int) -> float:
    """The CPU of one piece, in microseconds."""
    asyncio.run(read(process.port, path, max(streams // 5, 1)))
    before = process.cpu
    asyncio.run(read(process.port, path, streams))
    return (process.cpu - before) / streams / PIECES * 1e6


async def hold(process: Measured, path: str) -> float:
    """Have many streams begun and none ended; gives the process's memory in MiB."""
    begun = await asyncio.gather(*(ask(process.port, path) for _ in range(STREAMS)))
    for reader, _ in begun:
        if b"token " not in await reader.readuntil(b"\n\n"):
            raise VoidError("a stream did not begin")
    memory = process.memory
    for _, writer in begun:
        writer.close()
    return memory


def report(options: Options) -> Report:
    """Measure each server: the bare one and the host in turns."""
    streams = max(options.requests // 300, 1)
    path = "/v1.0-alpha2/conversation/{}/converse"
    text = f"{'streaming':<12}{'us/piece':>9} {'bare':>7} {'above':>7} {'limit':>6} "
    text += f"{f'MiB, {STREAMS} streams':>17} {'limit':>6}\n"
    exceeded = []
    for server in options.servers:
        with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
            folder, site = Path(name) / "manifests", Path(name) / "site"
            folder.mkdir()
            site.mkdir()
            for kind in ("fast", "long"):
                (folder / f"{kind}.yaml").write_text(manifest(kind, f"conversation.{kind}"))
            Site(site).install("bench", PLUGIN)
            bare = stack.enter_context(script("bare.py", server, str(PIECES)))
            served = stack.enter_context(host(folder, "--server", server, components=2, PYTHONPATH=str(site)))
            rounds = [
                (piece(bare, "/stream", streams), piece(served, path.format("fast"), streams))
                for _ in range(options.rounds)
            ]
            least, most = min(one for one, _ in rounds), min(one for _, one in rounds)
            memory = asyncio.run(hold(served, path.format("long")))
        text += f"{server:<12}{most:>9.1f} {least:>7.1f} {most - least:>7.1f} {LIMIT_PIECE:>6g} "
        text += f"{memory:>17.0f} {LIMIT_MEMORY:>6g}\n"
        if most - least > LIMIT_PIECE:
            exceeded.append(f"{server}, a streamed piece: {most - least:.1f} us above the bare server")
        if memory > LIMIT_MEMORY:
            exceeded.append(f"{server}, {STREAMS} streams: {memory:.0f} MiB")
    return Report(text, exceeded)
