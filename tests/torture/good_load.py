"""Constant load on components that behave, which has to be answered whatever others do."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from figures import BrokenPromiseError
from running import send
from sse_reply import events_of, words_of

__all__ = ["Failed", "GoodLoad"]

_PATIENCE = 30.0


@dataclass(frozen=True)
class Failed:
    """A request that was not answered as it should have been.

    Attributes:
        what: what came instead.
        broke: the connection broke, rather than that something else was answered.
        pid: the process that had answered on this connection before; 0 if none had.
    """

    what: str
    broke: bool
    pid: int


@dataclass
class GoodLoad:
    """Clients that ask for as long as the context lasts, each on a connection that it keeps.

    Every other request wants a stream. A reply has the words of its own request, behind the id of the process.

    Attributes:
        port: the host's.
        names: the components to ask in turn.
        clients: how many there are.
        faulty: set once a request has failed.
    """

    port: int
    names: tuple[str, ...]
    clients: int = 4
    answered: int = 0
    streamed: int = 0
    slowest: float = 0.0
    failed: list[Failed] = field(default_factory=list)
    faulty: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> GoodLoad:
        """Begin."""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the last requests end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def excuse(self, killed: set[int]) -> int:
        """Count the connections that broke because their process was killed.

        Raises:
            BrokenPromiseError: there is a failure of any other kind.
        """
        for each in self.failed:
            if not each.broke or each.pid not in killed:
                raise BrokenPromiseError(f"a request to a component that behaves failed: {each.what}")
        return len(self.failed)

    def _ask(self, number: int) -> None:
        connection, pid, count = self._connect(), 0, number
        while not self._stop.is_set():
            count += 1
            text, streams = f"client-{number}-{count}", count % 2 == 0
            began = time.monotonic()
            try:
                answer = self._once(connection, self.names[count % len(self.names)], text, streams=streams)
            except (OSError, http.client.HTTPException) as error:
                self._note(Failed(f"{type(error).__name__} after {time.monotonic() - began:.1f} s", True, pid))
                connection.close()
                connection, pid = self._connect(), 0
                continue
            words = answer.split()
            if len(words) != 2 or words[1] != text:
                self._note(Failed(f"{answer!r} for {text}", False, pid))
                continue
            pid = int(words[0])
            with self._lock:
                self.answered += 1
                self.streamed += streams
                self.slowest = max(self.slowest, time.monotonic() - began)
        connection.close()

    def _once(self, connection: http.client.HTTPConnection, name: str, text: str, *, streams: bool) -> str:
        said: dict[str, Any] = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}]}
        accept = {"accept": "text/event-stream"} if streams else {}
        reply = send(connection, "POST", f"/v1.0-alpha2/conversation/{name}/converse", said, **accept)
        if reply.status != 200:
            return f"{reply.status} {reply.body.decode()}"
        if not streams:
            return reply.text
        events = events_of(reply.body)
        return words_of(events) if events and events[-1].name == "done" else f"a cut stream {reply.body!r}"

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)

    def _note(self, failed: Failed) -> None:
        with self._lock:
            self.failed.append(failed)
        self.faulty.set()
