"""One engine: a model in memory, its slots, and the threads that wait for its answers.

xllamacpp answers through a callback that runs in the thread of the call. The callback here never raises, as the engine
would swallow that; it returns True to stop, which the engine heeds at the next token, or while it still reads the
prompt, after the next ``_BATCH`` tokens.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jackfield import ProviderError
from jackfield_llamacpp.failures import exception_failure, value_failure
from jackfield_llamacpp.mailbox import End, Mailbox, Piece, Tokens
from jackfield_llamacpp.slots import Slots

__all__ = ["Engine", "EngineOptions"]

_BATCH = 256
_UNLOADED = "the model was unloaded before the reply was whole"


class _Server(Protocol):
    def handle_chat_completions(self, body: dict[str, Any], callback: Callable[[Any], bool], /) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What makes two engines the same.

    Attributes:
        file: the model's file, with no symlinks left in its path.
        version: the file's size in bytes and time of change in nanoseconds, so that a new file gets a new engine.
        context_size: tokens per slot.
        parallel: slots.
        threads: threads that compute.
        cache_ram_mib: memory for the beginnings of earlier conversations, in MiB.
    """

    file: Path
    version: tuple[int, int]
    context_size: int
    parallel: int
    threads: int
    cache_ram_mib: int


class Engine:
    """A loaded model. Making one blocks for as long as loading takes; so does ``close``.

    Raises:
        ValueError: the file can't be loaded.
    """

    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        self.slots = Slots(options.parallel)
        self._server: _Server | None = _load(options)
        self._threads = ThreadPoolExecutor(options.parallel, thread_name_prefix="llamacpp")
        self._closed = False

    async def answer(self, body: Mapping[str, Any], *, slots: int, longest_line: int) -> AsyncGenerator[Piece, None]:
        """Answer a chat completion request, as it is written. Closing the generator stops the engine's work on it.

        Args:
            body: the request in OpenAI's form.
            slots: how many it needs, one per choice.
            longest_line: how many requests may wait for a slot.

        Raises:
            RequestError: the engine refused the request or failed at it.
        """
        await self.slots.take(slots, longest_line=longest_line)
        box = Mailbox()
        try:
            work = self._threads.submit(self._work, {**body, "stream": True, "return_progress": True}, box)
        except RuntimeError:  # the threads are shut down
            self.slots.give_back(slots)
            raise ProviderError(_UNLOADED) from None
        # The slots are free once the thread is done with them, which may be after the caller has left.
        work.add_done_callback(lambda _: self.slots.give_back(slots))
        try:
            while pieces := await box.get():
                for piece in pieces:
                    yield piece
        finally:
            box.stopped = True

    def close(self) -> None:
        """Stop what runs, wait for it, and free the model."""
        self._closed = True
        self._threads.shutdown()
        self._server = None

    def _work(self, body: dict[str, Any], box: Mailbox) -> None:
        """Run one request to its end, in a thread of the engine's own."""
        failure: Exception | None = None

        def take(chunk: Any) -> bool:
            nonlocal failure
            if box.stopped or failure is not None:
                return True
            try:
                _sort(chunk, box)
            except Exception as error:  # noqa: BLE001 - raised to the reader; the engine would swallow it
                failure = error
            if self._closed:
                failure = failure or ProviderError(_UNLOADED)
            return failure is not None

        try:
            if self._server is not None and not box.stopped:
                answer = self._server.handle_chat_completions(body, take)
                if isinstance(answer, Mapping) and "error" in answer:
                    failure = value_failure(answer["error"])
        except Exception as error:  # noqa: BLE001 - raised to the reader
            failure = exception_failure(error)
        finally:
            box.end(failure)


def _sort(chunk: Mapping[str, Any], box: Mailbox) -> None:
    """Put what a chunk carries into the mailbox; a chunk that only tells of progress carries nothing."""
    if error := chunk.get("error"):
        raise value_failure(error)
    for choice in chunk.get("choices", ()):
        index = choice["index"]
        delta = choice.get("delta") or {}
        if text := delta.get("reasoning_content"):
            box.put_text(index, text, reasoning=True)
        if text := delta.get("content"):
            box.put_text(index, text, reasoning=False)
        if reason := choice.get("finish_reason"):
            box.put(End(index, reason))
    if counts := chunk.get("usage"):
        box.put(Tokens(counts))


def _load(options: EngineOptions) -> _Server:
    with options.file.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError(f"{options.file} is not a GGUF file; give one as path")

    import xllamacpp  # type: ignore[import-untyped]  # 30 MB that only a component that serves needs

    params = xllamacpp.CommonParams()
    params.model.path = str(options.file)
    params.n_parallel = options.parallel
    params.n_ctx = options.context_size * options.parallel
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.cache_ram_mib = options.cache_ram_mib
    params.use_jinja = True
    params.verbosity = -1
    # The engine also listens on a loopback port of the kernel's choice; nobody is told the key.
    params.api_keys = [secrets.token_hex(16)]
    params.ui = params.endpoint_slots = False
    params.n_threads_http = 1
    try:
        server: _Server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ValueError(
            f"the engine can't load {options.file} with contextSize {options.context_size} and parallel "
            f"{options.parallel}: {error} Is the file whole, and the memory enough?"
        ) from error
    return server
