"""Constant load on cached components of several hosts, every reply checked."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from running import send

__all__ = ["CachedLoad"]

_PATIENCE = 30.0
_TEXTS = 40
"""So many different questions go round: most are in the cache soon."""
_NEW = 10
"""Of so many questions, one has never been asked: its reply has to be kept anew."""


@dataclass
class CachedLoad:
    """Clients of several hosts, each on a connection that it keeps; use it with ``with``.

    Attributes:
        ports: the hosts'.
        name: the component, which repeats what it is asked.
        clients: how many there are for each host.
        pause: seconds that a client waits after a reply.
        results: how often each result of the cache came, by host; ``x-jackfield-cache`` has it.
        failed: what came instead of a reply.
        faulty: set once there is such a thing.
        slowest: the longest wait for a reply since ``forget``, in seconds.
    """

    ports: tuple[int, ...]
    name: str
    clients: int = 3
    pause: float = 0.002
    results: dict[int, Counter[str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    faulty: threading.Event = field(default_factory=threading.Event)
    slowest: float = 0.0
    asked: int = 0

    def __enter__(self) -> CachedLoad:
        """Begin."""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.results = {port: Counter() for port in self.ports}
        self._threads = [
            threading.Thread(target=self._ask, args=(port, number))
            for port in self.ports
            for number in range(self.clients)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the last requests end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def forget(self) -> float:
        """Begin to look for the slowest reply anew; gives what was the slowest until now."""
        with self._lock:
            slowest, self.slowest = self.slowest, 0.0
        return slowest

    def hits(self) -> tuple[int, ...]:
        """Count the replies that came out of the cache, host by host."""
        with self._lock:
            return tuple(self.results[port]["hit"] for port in self.ports)

    def _ask(self, port: int, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        count = number
        while not self._stop.wait(self.pause):
            count += 1
            text = f"question {count * 7 % _TEXTS}" if count % _NEW else f"question {count} of {number} on {port}"
            said: dict[str, Any] = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}]}
            path = f"/v1.0-alpha2/conversation/{self.name}/converse"
            began = time.monotonic()
            try:
                reply = send(connection, "POST", path, said)
                cause = "" if reply.status == 200 and reply.text == text else f"{reply.status} {reply.body.decode()}"
                result = reply.headers.get("x-jackfield-cache", "none")
            except (OSError, http.client.HTTPException) as error:
                cause, result = f"{type(error).__name__} on {port}", "none"
                connection.close()
            with self._lock:
                self.asked += 1
                self.results[port][result] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                if cause:
                    self.failed.append(f"{text!r}: {cause}")
                    self.faulty.set()
        connection.close()
