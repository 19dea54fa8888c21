"""Starting a worker in its place: its process, its end of the channel, and the first that it is told."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import replace

from jackfield.logs import LogSettings
from jackfield.options import HostOptions
from jackfield.serving.board import Board
from jackfield.serving.channel import Channel
from jackfield.serving.frames import FromWorker, Start, decode_for_parent
from jackfield.serving.network import Network
from jackfield.serving.slot import Slot
from jackfield.serving.spawn import spawn

__all__ = ["Launcher"]


class Launcher:
    """Starts processes that are all alike but for their number and what they go on from.

    Args:
        options: the host's options.
        network: how to serve.
        sockets: bound and listening.
        logs: how the workers are to log.
        workers: how many there are.
    """

    def __init__(
        self, options: HostOptions, network: Network, sockets: list[socket.socket], *, logs: LogSettings, workers: int
    ) -> None:
        self._options = options
        self._network = network
        self._sockets = sockets
        self._logs = logs
        self._workers = workers
        self._group = secrets.token_hex(8)

    async def launch(self, slot: Slot, board: Board, received: Callable[[FromWorker], None]) -> int:
        """Start a process in a slot; returns its id.

        Args:
            slot: the place.
            board: knows what the process goes on from.
            received: called with each frame that it sends.

        Raises:
            OSError: there is no memory, or no descriptor, for a process.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = spawn(self._sockets, theirs)
            except OSError:
                ours.close()
                raise
        channel = Channel(decode_for_parent, received, slot.relieved)
        slot.begin(process, channel)
        if not slot.renews:
            board.began(slot.worker, process.pid)
        await channel.open(ours)
        options, generation = self._options, board.generation(slot.worker)
        channel.send(
            Start(
                worker=slot.worker,
                # Only a first start is judged: a replacement may find an edit that is broken for the moment.
                options=replace(options, environment={}, strict=options.strict and not generation),
                environment={os.fsencode(key): os.fsencode(value) for key, value in options.environment.items()},
                network=self._network,
                sockets=tuple(bound.fileno() for bound in self._sockets),
                logs=self._logs,
                generation=generation,
                documents=board.documents(),
                renews=slot.renews,
                workers=self._workers,
                group=self._group,
            )
        )
        return process.pid
