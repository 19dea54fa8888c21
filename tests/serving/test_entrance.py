"""The way in is shut so that nobody who has come through it is left standing."""

from __future__ import annotations

import asyncio
import select
import socket
import sys
from pathlib import Path

import pytest

from jackfield.serving.entrance import Entrance, emptied
from jackfield.serving.network import Network, bind


@pytest.mark.skipif(sys.platform != "linux", reason="packets are filtered on Linux alone")
def test_who_has_connected_is_taken_and_who_comes_later_is_refused() -> None:
    """After the shutting a connection that waits can be taken and used; a new one isn't made, and then refused."""
    [listening] = bind(Network(port=0))
    address = listening.getsockname()
    with socket.create_connection(address) as early, socket.socket() as late:
        Entrance([listening]).shut()
        late.setblocking(False)
        late.connect_ex(address)
        taken, _ = listening.accept()
        early.sendall(b"ask")
        assert taken.recv(10) == b"ask"
        taken.sendall(b"answer")
        assert early.recv(10) == b"answer"
        assert not select.select([listening], [late], [], 0)[0]
        listening.close()
        assert select.select([], [late], [], 10)[1]
        with pytest.raises(ConnectionRefusedError):
            late.connect(address)
        taken.close()


@pytest.mark.skipif(sys.platform != "linux", reason="packets are filtered on Linux alone")
def test_a_connection_under_the_filter_hears_that_its_client_is_gone() -> None:
    """The kernel gives the filter on to connections that it still makes; a reset comes through all the same."""
    [listening] = bind(Network(port=0))
    with listening:
        client = socket.create_connection(listening.getsockname())
        taken, _ = listening.accept()
        with taken:
            Entrance([taken]).shut()
            client.close()
            assert taken.recv(10) == b""
            taken.sendall(b"to nobody")  # which its kernel answers with a reset that acknowledges nothing
            hears = select.poll()
            hears.register(taken, 0)  # errors alone
            assert hears.poll(5000)
            with pytest.raises(ConnectionError):
                taken.sendall(b"more")


def test_a_unix_socket_loses_its_file(tmp_path: Path) -> None:
    """After the shutting nobody finds it, and who has connected can be taken; another host's file stays."""
    path = tmp_path / "s"
    [listening] = bind(Network(unix_socket=path))
    entrance = Entrance([listening])
    with listening, socket.socket(socket.AF_UNIX) as early:
        early.connect(str(path))
        entrance.shut()
        assert not path.exists()
        listening.accept()[0].close()
        with bind(Network(unix_socket=path))[0]:
            entrance.shut()
            assert path.exists()


def test_emptied_waits_for_who_has_connected() -> None:
    """It ends as soon as nobody waits to be taken, and in a quarter of a second even if nobody is taken."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        [listening] = bind(Network(port=0))
        listening.setblocking(False)
        with listening, socket.create_connection(listening.getsockname()):
            began = loop.time()
            await emptied([listening])
            assert loop.time() - began >= 0.25
            waiting = asyncio.ensure_future(emptied([listening]))
            taken, _ = await loop.sock_accept(listening)
            await waiting
            taken.close()

    asyncio.run(scenario())
