"""What a call over gRPC costs beyond the bare server's: the same grpcio server, which answers bytes as they came."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import grpc
from dapr.proto.runtime.v1 import ai_pb2
from measuring import VoidError
from part import Options, Report
from processes import Measured, host, script
from requested import ASKED, manifest

from jackfield.serving.worker import run

METHOD = "/dapr.proto.runtime.v1.Dapr/ConverseAlpha2"


def asked() -> bytes:
    """Make the request that is measured: that of the other parts, as a message."""
    request = ai_pb2.ConversationRequestAlpha2(name="echo", temperature=0.5)
    messages = request.inputs.add().messages
    for role, text in ASKED:
        getattr(messages.add(), f"of_{role.lower()}").content.add(text=text)
    return request.SerializeToString()


async def call(port: int, calls: int, side_by_side: int) -> None:
    """Make some calls; a reply that doesn't hold what was asked voids the run."""
    sent = asked()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        converse = channel.unary_unary(METHOD, None, None)

        async def several() -> None:
            for _ in range(calls // side_by_side):
                reply: bytes = await converse(sent, wait_for_ready=True)
                if ASKED[-1][1].encode() not in reply:
                    raise VoidError("a wrong reply")

        await asyncio.gather(*(several() for _ in range(side_by_side)))


def cost(process: Measured, port: int, calls: int) -> float:
    """The CPU of one call in microseconds, after a warm-up."""
    asyncio.run(call(port, calls // 5, 16))
    before = process.cpu
    asyncio.run(call(port, calls, 16))
    return (process.cpu - before) / calls * 1e6


async def bare() -> None:
    """Serve until SIGTERM; the port is the first line of the output."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])

    async def answer(sent: bytes, _: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return sent

    handler = grpc.unary_unary_rpc_method_handler(answer, None, None)
    service, method = METHOD.strip("/").split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0)


def report(options: Options) -> Report:
    """Measure the bare server and the host in turns."""
    calls = max(options.requests // 3, 16)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "echo.yaml").write_text(manifest("echo", "conversation.echo"))
        least = stack.enter_context(script("grpc_calls.py"))
        served = stack.enter_context(host(Path(folder), "--plugins", "echo,grpc", "--dapr-grpc-port", str(port)))
        rounds = [(cost(least, least.port, calls), cost(served, port, calls)) for _ in range(options.rounds)]
        without, with_host = min(one for one, _ in rounds), min(one for _, one in rounds)
        return Report(
            f"gRPC: echo alpha2 takes {with_host:.0f} us of CPU a call, the bare server {without:.0f}, "
            f"so {with_host - without:.0f} above it; {served.memory:.0f} MiB with the gRPC server\n"
        )


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    run(bare)
