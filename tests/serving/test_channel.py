"""The channel between parent and workers: whole frames, whatever their size and however slow the reader."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from jackfield.errors import Problem
from jackfield.logs import LogSettings
from jackfield.manifests.configuration import ApiRule, Configuration
from jackfield.options import HostOptions
from jackfield.serving.channel import Channel, read_frame
from jackfield.serving.frames import (
    Extended,
    FromParent,
    FromWorker,
    Report,
    Rescan,
    SetMetadata,
    Start,
    Stop,
    decode_for_parent,
    decode_for_worker,
    encode,
)
from jackfield.serving.network import Network
from jackfield.serving.reports import GoodDocument

LIMIT = 10
LARGE = "x" * 3_000_000


def on_loop(test: Callable[[socket.socket, socket.socket], Awaitable[None]]) -> None:
    """Run a test with both ends of a channel."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        try:
            async with asyncio.timeout(LIMIT):
                await test(ours, theirs)
        finally:
            ours.close()
            theirs.close()

    asyncio.run(main())


def test_large_frames_arrive_whole_and_in_order() -> None:
    """Frames that no socket buffer holds arrive as they were sent, between small ones."""

    async def test(ours: socket.socket, theirs: socket.socket) -> None:
        frames: list[FromWorker] = []
        three = asyncio.Event()

        def received(frame: FromWorker) -> None:
            frames.append(frame)
            if len(frames) == 3:
                three.set()

        parent = Channel(decode_for_parent, received)
        worker: Channel[FromParent] = Channel(decode_for_worker, lambda _: None)
        await parent.open(ours)
        await worker.open(theirs)
        sent: list[FromWorker] = [Report(1, 1, ""), SetMetadata(1, "key", LARGE), Report(2, 2, "[llm (failed)]")]
        for frame in sent:
            worker.send(frame)
        await three.wait()
        assert frames == sent
        worker.close()
        await parent.lost.wait()
        parent.close()

    on_loop(test)


def test_a_reader_that_hangs_holds_up_nobody() -> None:
    """Sending to an end that doesn't read returns at once, and the sender is told when it goes on."""

    async def test(ours: socket.socket, theirs: socket.socket) -> None:
        relieved = asyncio.Event()
        parent = Channel(decode_for_parent, lambda _: None, relieved.set)
        await parent.open(ours)
        parent.send(Extended(1, {"key": LARGE}))
        assert parent.congested
        theirs.settimeout(LIMIT)
        data = await asyncio.to_thread(read_frame, theirs)
        assert data is not None
        assert decode_for_worker(data) == Extended(1, {"key": LARGE})
        await relieved.wait()
        assert not parent.congested
        parent.send(Stop())
        data = await asyncio.to_thread(read_frame, theirs)
        assert data is not None
        assert decode_for_worker(data) == Stop()
        parent.close()

    on_loop(test)


def test_closing_writes_what_is_left() -> None:
    """What was sent before ``close`` arrives, and then the end."""

    async def test(ours: socket.socket, theirs: socket.socket) -> None:
        parent = Channel(decode_for_parent, lambda _: None)
        await parent.open(ours)
        parent.send(Extended(1, {"key": LARGE}))
        parent.close()
        parent.send(Stop())
        assert await asyncio.to_thread(read_frame, theirs) is not None
        assert await asyncio.to_thread(read_frame, theirs) is None
        await parent.lost.wait()

    on_loop(test)


def test_what_is_no_frame_ends_the_channel() -> None:
    """An end that talks nonsense is cut off; its words are not logged."""

    async def test(ours: socket.socket, theirs: socket.socket) -> None:
        parent = Channel(decode_for_parent, lambda _: pytest.fail("nothing was to be received"))
        await parent.open(ours)
        theirs.sendall(b"\0\0\0\0\0\0\0\x06secret")
        await parent.lost.wait()

    on_loop(test)


def test_a_start_survives_the_journey() -> None:
    """Options arrive as they were, with names and values that are no UTF-8 too."""
    options = HostOptions(
        folders=(Path("manifests"), Path("/m\udcff")),
        api_token="token-text",
        configuration=Configuration(
            denied=(ApiRule("conversation", "v1alpha1"),), problems=(Problem("config.yaml", 3, "spec.x", "no effect"),)
        ),
        plugins=("echo",),
        prefer={"conversation.echo": "echo"},
    )
    document = GoodDocument("llm", b"/m\xff/llm.yaml", 3, "value: document-text")
    start = Start(
        worker=2,
        options=options,
        environment={b"NAME": b"env\xfftext"},
        network=Network(unix_socket=Path("/s")),
        sockets=(3, 4),
        logs=LogSettings(form="json"),
        generation=7,
        documents=(document,),
    )
    assert decode_for_worker(encode(start)) == start


@pytest.mark.parametrize(
    "frame",
    [
        Start(1, HostOptions(api_token="secret"), {b"KEY": b"secret"}, Network(), (), LogSettings()),
        Report(1, 1, "", documents=(GoodDocument("llm", b"llm.yaml", 1, "secret"),)),
        GoodDocument("llm", b"llm.yaml", 1, "secret"),
    ],
    ids=["start", "report", "document"],
)
def test_no_repr_shows_a_secret(frame: object) -> None:
    """What may hold secrets doesn't show them in its repr."""
    assert "secret" not in repr(frame)


def test_frames_are_for_one_direction() -> None:
    """What a parent says is no frame to a parent."""
    assert decode_for_worker(encode(Rescan())) == Rescan()
    with pytest.raises(ValueError, match="Rescan"):
        decode_for_parent(encode(Rescan()))
