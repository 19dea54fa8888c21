"""What a call over gRPC costs beyond the bare server's: the same grpcio server, which answers bytes as they came."""

from __future__ import annotations

import argparse
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
from processes import Measured, host, script

from jackfield.serving.worker import run

METHOD = "/dapr.proto.runtime.v1.Dapr/ConverseAlpha2"
MANIFEST = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: echo}\nspec: {type: conversation.echo}\n"
SYSTEM = "You are a helpful assistant that answers in one sentence."
USER = "What is the capital of France, and since when? " * 4


def asked() -> bytes:
    """Make the request that is measured: the one of `run.py`, as a message."""
    request = ai_pb2.ConversationRequestAlpha2(name="echo", temperature=0.5)
    messages = request.inputs.add().messages
    messages.add().of_system.content.add(text=SYSTEM)
    messages.add().of_user.content.add(text=USER)
    return request.SerializeToString()


async def call(port: int, calls: int, side_by_side: int) -> None:
    """Make some calls; a reply that doesn't hold what was asked voids the run."""
    sent = asked()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        converse = channel.unary_unary(METHOD, None, None)

        async def several() -> None:
            for _ in range(calls // side_by_side):
                reply: bytes = await converse(sent, wait_for_ready=True)
                if USER.encode() not in reply:
                    raise SystemExit("void: a reply is wrong")

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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", action="store_true", help="be the bare server")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_known_args()[0]
    if arguments.bare:
        run(bare)
        return
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "echo.yaml").write_text(MANIFEST)
        least = stack.enter_context(script("grpc_calls.py", "--bare"))
        options = ("--plugins", "echo,grpc", "--dapr-grpc-port", str(port))
        served = stack.enter_context(host(Path(folder), *options))
        rounds = [
            (cost(least, least.port, arguments.calls), cost(served, port, arguments.calls))
            for _ in range(arguments.rounds)
        ]
        without, with_host = min(one for one, _ in rounds), min(one for _, one in rounds)
        sys.stdout.write(f"\ngRPC: echo alpha2 takes {with_host:.0f} us of CPU a call, the bare server {without:.0f}, ")
        sys.stdout.write(f"so {with_host - without:.0f} above it; {served.memory:.0f} MiB with the gRPC server\n")


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
