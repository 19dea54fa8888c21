"""What a streamed piece costs beyond the bare server's, and what 500 streams at once take of memory."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from processes import Measured, host, script

HERE = Path(__file__).parent
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
HEAD = (
    "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\nspec: {type: conversation.%s, version: v1}\n"
)
BODY = b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"Tell me a story"}]}}]}],"stream":true}'
LAST = b"0\r\n\r\n"


async def ask(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for a stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(b"POST %s HTTP/1.1\r\nHost: b\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(BODY)) + BODY)
    return reader, writer


async def read(port: int, path: str, streams: int) -> None:
    """Read some streams, one after the other, to their ends; a reply of another length voids the run."""
    for _ in range(streams):
        reader, writer = await ask(port, path)
        whole = bytearray()
        while not whole.endswith(LAST):
            seen = await reader.read(1 << 20)
            whole += seen
            if not seen:
                raise SystemExit("void: a stream was cut")
        writer.close()
        count = whole.count(b'"token "')
        if count != PIECES:
            raise SystemExit(f"void: {count} pieces instead of {PIECES}")


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
            raise SystemExit("void: a stream did not begin")
    memory = process.memory
    for _, writer in begun:
        writer.close()
    return memory


def install(folder: Path) -> None:
    """Write the plugin whose streams are measured, as an installer leaves it."""
    (folder / "jackfield_bench.py").write_text(PLUGIN)
    info = folder / "jackfield_bench-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jackfield-bench\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[jackfield]\nbench = jackfield_bench\n")


def main() -> None:
    """Print the table; exit 1 if a limit is exceeded and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 if a figure is over its limit")
    arguments = parser.parse_known_args()[0]
    exceeded = False
    sys.stdout.write(f"\n{'streaming':<12}{'us/piece':>9} {'bare':>7} {'above':>7} {'limit':>6} ")
    sys.stdout.write(f"{f'MiB, {STREAMS} streams':>17} {'limit':>6}\n")
    for server in ("hypercorn", "uvicorn"):
        with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "manifests").mkdir()
            (folder / "manifests" / "all.yaml").write_text(
                "---\n".join(HEAD % (kind, kind) for kind in ("fast", "long"))
            )
            install(folder)
            os.environ["PYTHONPATH"] = str(folder)
            bare = stack.enter_context(script("bare.py", server, str(PIECES)))
            served = stack.enter_context(host(folder / "manifests", "--server", server, components=2))
            path = "/v1.0-alpha2/conversation/{}/converse"
            rounds = [
                (piece(bare, "/stream", arguments.streams), piece(served, path.format("fast"), arguments.streams))
                for _ in range(arguments.rounds)
            ]
            least, most = min(one for one, _ in rounds), min(one for _, one in rounds)
            memory = asyncio.run(hold(served, path.format("long")))
            exceeded = exceeded or most - least > LIMIT_PIECE or memory > LIMIT_MEMORY
            sys.stdout.write(f"{server:<12}{most:>9.1f} {least:>7.1f} {most - least:>7.1f} {LIMIT_PIECE:>6g} ")
            sys.stdout.write(f"{memory:>17.0f} {LIMIT_MEMORY:>6g}\n")
    if exceeded and arguments.check:
        raise SystemExit("a figure is over its limit")


if __name__ == "__main__":
    main()
