"""Providers that are each broken in one way, and the check of the kit that catches it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, ClassVar

from msgspec.structs import replace
from pydantic import AliasChoices, BeforeValidator, Field

from jackfield import (
    Choice,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    GenerationSettings,
    InvokeError,
    Message,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    ReasoningPart,
    Result,
    Secret,
    TextPart,
    ToolCall,
    Usage,
)
from jackfield_openai import OpenAIConversation, OpenAISettings

__all__ = ["BROKEN", "Altered"]


class Altered(OpenAIConversation):
    """A good provider, with three places at which a broken one differs."""

    def asked(self, request: ConversationRequest) -> ConversationRequest:
        """Change what goes out."""
        return request

    def answered(self, choice: Choice, result: Result) -> Choice:
        """Change a choice that comes back."""
        return choice

    def whole(self, result: Result) -> Result:
        """Change a reply that comes back in one piece."""
        return replace(result, choices=tuple(self.answered(choice, result) for choice in result.choices))

    def told(self, event: Event) -> Event | None:
        """Change an event; None leaves it out."""
        return event

    async def converse(self, request: ConversationRequest) -> Result:
        return self.whole(await super().converse(self.asked(request)))

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        async with aclosing(super().stream(self.asked(request))) as events:
            async for event in events:
                if (told := self.told(event)) is not None:
                    yield told


def _each(request: ConversationRequest, change: Any) -> ConversationRequest:
    return replace(request, messages=tuple(change(message) for message in request.messages))


class Shouts(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, parts=(TextPart(choice.text.upper()),))


class KnowsAsciiOnly(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        def plain(message: Message) -> Message:
            return replace(message, parts=(TextPart(message.text.encode("ascii", "ignore").decode()),))

        return _each(request, plain)


class HasOneModel(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, model="only-model")


class ForgetsTheRequestsModel(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, model=None)


class ReadsOnePart(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return _each(request, lambda message: replace(message, parts=message.parts[:1]))


class JoinsAll(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        text = "\n".join(message.text for message in request.messages)
        return replace(request, messages=(Message(role="user", parts=(TextPart(text),)),))


class ReadsTheLastMessage(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, messages=request.messages[-1:])


class InstructsAsUser(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return _each(request, lambda one: replace(one, role="user") if one.role == "developer" else one)


class StumblesOverRoles(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        known = {"user": 1, "system": 2, "assistant": 3}
        return _each(request, lambda message: replace(message, input=known[message.role]))


class ReadsOneInstruction(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        kept = [one for one in request.messages if one.role == "user"]
        return replace(request, messages=(request.messages[0], *kept))


class DropsSettings(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, settings=GenerationSettings())


class TakesZeroForNothing(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        settings = replace(request.settings, temperature=request.settings.temperature or None)
        return replace(request, settings=settings)


class MakesUpSettings(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, settings=GenerationSettings(temperature=1.0))


class DescribesNoTool(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, tools=tuple(replace(tool, description="") for tool in request.tools))


class NeedsATypeInSchemas(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        for tool in request.tools:
            (tool.parameters or {})["type"]
        return request


class StopsAtCalls(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, finish_reason="stop")


class LosesEmptyCalls(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, tool_calls=tuple(call for call in choice.tool_calls if call.arguments != "{}"))


class LosesTextBesideCalls(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, parts=()) if choice.tool_calls else choice


class KnowsOneCall(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, tool_calls=choice.tool_calls[:1])


class TellsResultsAsUser(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return _each(request, lambda one: replace(one, role="user") if one.role == "tool" else one)


class MixesResults(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        ids = [message.tool_call_id for message in request.messages if message.role == "tool"]
        return _each(request, lambda one: replace(one, tool_call_id=ids.pop()) if one.role == "tool" else one)


class ChoosesByItself(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, tool_choice="auto" if request.tools else "")


class HasNoStructure(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        return replace(request, response_format=None)


class TellsNoUsageInStreams(Altered):
    def told(self, event: Event) -> Event | None:
        return None if isinstance(event, Usage) else event


class TellsNothingInStreams(Altered):
    def told(self, event: Event) -> Event | None:
        return None if isinstance(event, Delta) else event


class TellsUsageFirst(Altered):
    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        events = [event async for event in super().stream(request)]
        for event in sorted(events, key=lambda event: isinstance(event, Finish)):
            yield event


class WaitsForTheEnd(Altered):
    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        for event in [event async for event in super().stream(request)]:
            yield event


class TellsNoUsage(Altered):
    def whole(self, result: Result) -> Result:
        return replace(result, usage=None)


class Miscounts(Altered):
    def whole(self, result: Result) -> Result:
        return replace(result, usage=Usage(3, 4, 5))


class TellsItsOwnReasons(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, finish_reason="end_turn")


class AlwaysStops(Altered):
    def told(self, event: Event) -> Event | None:
        return replace(event, reason="stop") if isinstance(event, Finish) else event


class TellsNoModel(Altered):
    def whole(self, result: Result) -> Result:
        return replace(result, model="")


class ThinksAloud(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        return replace(choice, parts=tuple(TextPart(part.text) for part in choice.parts))


class ThinksAloudInStreams(Altered):
    def told(self, event: Event) -> Event | None:
        if isinstance(event, Delta) and isinstance(event.part, ReasoningPart):
            return Delta(TextPart(event.part.text), event.index)
        return event


class PassesOnForeignData(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        def joined(message: Message) -> Message:
            calls = tuple(ToolCall(call.id + call.opaque, call.name, call.arguments) for call in message.tool_calls)
            return replace(message, tool_calls=calls)

        return _each(request, joined)


class CarriesReadableText(Altered):
    def answered(self, choice: Choice, result: Result) -> Choice:
        thought = "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart))
        return replace(choice, tool_calls=tuple(replace(call, opaque=thought) for call in choice.tool_calls))


class _Catching(Altered):
    def caught(self, error: InvokeError) -> InvokeError:
        return error

    async def converse(self, request: ConversationRequest) -> Result:
        try:
            return await super().converse(request)
        except InvokeError as error:
            raise self.caught(error) from None


class HidesTheStatus(_Catching):
    def caught(self, error: InvokeError) -> InvokeError:
        return ProviderError(error.detail)


class BlamesItselfForRubbish(_Catching):
    def caught(self, error: InvokeError) -> InvokeError:
        return InvokeError("something went wrong")


class CallsAllTheSame(_Catching):
    def caught(self, error: InvokeError) -> InvokeError:
        return ProviderError("it can't be reached")


class TellsHalfAReply(Altered):
    async def converse(self, request: ConversationRequest) -> Result:
        try:
            return await super().converse(request)
        except (ProviderUnreachable, ProviderError):
            return Result.of_text("half")


class NeverRecovers(Altered):
    async def converse(self, request: ConversationRequest) -> Result:
        if getattr(self, "failed", False):
            raise ProviderError("it failed before")
        try:
            return await super().converse(request)
        except InvokeError:
            self.failed = True
            raise


class NeverLetsGo(Altered):
    async def start(self) -> None:
        await super().start()
        self.running: set[asyncio.Task[Result]] = set()

    async def converse(self, request: ConversationRequest) -> Result:
        call = asyncio.ensure_future(super().converse(request))
        self.running.add(call)
        return await asyncio.shield(call)

    async def close(self) -> None:
        for call in self.running:
            call.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await super().close()


class TimesOutByItself(Altered):
    async def converse(self, request: ConversationRequest) -> Result:
        raise ProviderTimeout("it took too long")


class LingersWhenClosed(Altered):
    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        try:
            async for event in super().stream(request):
                yield event
        finally:
            await asyncio.sleep(1)


class KeepsAPlainKey(_Catching):
    """Its settings hold the key as plain text, so that the host can't know it for a secret."""

    class Settings(OpenAISettings):
        team_key: str = ""

    def caught(self, error: InvokeError) -> InvokeError:
        return ProviderError(f"the key {self.settings.team_key} did not do")  # type: ignore[attr-defined]


class Logs(Altered):
    def asked(self, request: ConversationRequest) -> ConversationRequest:
        logging.getLogger("jackfield.chatty").debug("asking %s", request.messages[0].text)
        return request


class ShowsItsKey(Altered):
    def __repr__(self) -> str:
        return f"<ShowsItsKey {self.settings.key.get_secret_value()}>"


class TakesAnyTime(Altered):
    class Settings(OpenAISettings):
        connect_timeout: Annotated[float, BeforeValidator(lambda _: 10.0)] = 10.0


class TakesTypos(Altered):
    class Settings(OpenAISettings):
        model: str = Field(default="", validation_alias=AliasChoices("model", "modell"))


class NeedsNoKey(Altered):
    class Settings(OpenAISettings):
        key: Annotated[Secret, BeforeValidator(lambda value: value or "anonymous")] = Secret("anonymous")


class Mixes(Altered):
    current: ClassVar[ConversationRequest | None] = None

    async def converse(self, request: ConversationRequest) -> Result:
        type(self).current = request
        await asyncio.sleep(0)
        assert self.current is not None
        return await super().converse(self.current)


class ClosesOnce(Altered):
    async def close(self) -> None:
        if self._upstream is None:
            raise RuntimeError("closed already")
        await super().close()


class ClosesItsSuccessor(Altered):
    ended: ClassVar[bool] = False

    async def close(self) -> None:
        type(self).ended = True
        await super().close()

    async def converse(self, request: ConversationRequest) -> Result:
        if self.ended:
            raise ProviderError("the pool is closed")
        return await super().converse(request)


BROKEN: dict[str, list[tuple[type[Altered], dict[str, Any]]]] = {
    "test_typo": [(TakesTypos, {})],
    "test_bad_value": [(TakesAnyTime, {})],
    "test_text_is_answered": [(Shouts, {})],
    "test_any_characters_pass": [(KnowsAsciiOnly, {})],
    "test_any_conversation": [(StumblesOverRoles, {"role": "developer"}), (StumblesOverRoles, {"role": "tool"})],
    "test_model_of_the_manifest": [(HasOneModel, {})],
    "test_model_of_the_request": [(ForgetsTheRequestsModel, {})],
    "test_several_parts": [(ReadsOnePart, {})],
    "test_several_messages": [(JoinsAll, {}), (ReadsTheLastMessage, {})],
    "test_messages_of_one_role": [(ReadsTheLastMessage, {})],
    "test_instructions": [(InstructsAsUser, {"role": "developer"}), (JoinsAll, {"role": "system"})],
    "test_several_instructions": [(ReadsOneInstruction, {})],
    "test_generation_settings": [(DropsSettings, {"name": name}) for name in ("temperature", "top_p", "stop", "n")],
    "test_zero_is_a_value": [(TakesZeroForNothing, {})],
    "test_nothing_is_made_up": [(MakesUpSettings, {})],
    "test_max_tokens": [(DropsSettings, {"where": "request"}), (DropsSettings, {"where": "manifest"})],
    "test_tools_are_described": [(DescribesNoTool, {})],
    "test_incomplete_schemas": [(NeedsATypeInSchemas, {"schema": None})],
    "test_call": [(StopsAtCalls, {})],
    "test_call_without_arguments": [(LosesEmptyCalls, {})],
    "test_text_beside_a_call": [(LosesTextBesideCalls, {})],
    "test_parallel_calls": [(KnowsOneCall, {})],
    "test_result": [(TellsResultsAsUser, {})],
    "test_several_results": [(MixesResults, {}), (TellsResultsAsUser, {})],
    "test_tool_choice": [(ChoosesByItself, {"choice": choice}) for choice in ("none", "required", "any")],
    "test_tool_choice_by_name": [(ChoosesByItself, {})],
    "test_structured_output": [(HasNoStructure, {"form": form}) for form in ("unary", "streamed")],
    "test_json_without_a_schema": [(HasNoStructure, {})],
    "test_streaming_equals_unary": [
        (TellsNoUsageInStreams, {"case": "text"}),
        (AlwaysStops, {"case": "text cut short"}),
        (ThinksAloudInStreams, {"case": "thinking"}),
        (TellsNothingInStreams, {"case": "a call"}),
        (LosesTextBesideCalls, {"case": "text and a call"}),
        (KnowsOneCall, {"case": "parallel calls"}),
    ],
    "test_both_forms_agree": [(TellsNothingInStreams, {}), (TellsNoUsage, {})],
    "test_order_of_a_stream": [(TellsUsageFirst, {})],
    "test_arrives_as_it_is_written": [(WaitsForTheEnd, {})],
    "test_usage": [(TellsNoUsage, {"form": "unary"}), (TellsNoUsageInStreams, {"form": "streamed"})],
    "test_usage_adds_up": [(Miscounts, {})],
    "test_finish_reasons": [(TellsItsOwnReasons, {"form": "unary"}), (AlwaysStops, {"form": "streamed"})],
    "test_unknown_finish_reason": [(TellsItsOwnReasons, {})],
    "test_finish_reason_is_known": [(TellsItsOwnReasons, {})],
    "test_model_is_told": [(TellsNoModel, {})],
    "test_thinking": [(ThinksAloud, {"form": "unary"}), (ThinksAloudInStreams, {"form": "streamed"})],
    "test_opaque_data": [(Altered, {"form": "unary"}), (CarriesReadableText, {"form": "unary"})],
    "test_foreign_opaque_data": [(PassesOnForeignData, {})],
    "test_refusals": [(HidesTheStatus, {"status": 429, "form": "unary"})],
    "test_retry_after": [(HidesTheStatus, {"status": 429})],
    "test_unreachable": [(CallsAllTheSame, {"form": "unary"})],
    "test_timeout": [(NeverLetsGo, {"form": "unary"}), (TimesOutByItself, {"form": "unary"})],
    "test_cut_off": [(TellsHalfAReply, {"form": "unary"})],
    "test_rubbish": [
        (BlamesItselfForRubbish, {"kind": "null", "form": "unary"}),
        (TellsHalfAReply, {"kind": "a page", "form": "unary"}),
    ],
    "test_after_a_failure": [(NeverRecovers, {})],
    "test_cancellation": [(NeverLetsGo, {"form": "unary"})],
    "test_leaving": [(LingersWhenClosed, {})],
    "test_errors_hold_no_secret": [(KeepsAPlainKey, {"form": "unary"})],
    "test_repr_holds_no_secret": [(ShowsItsKey, {}), (KeepsAPlainKey, {})],
    "test_many_at_once": [(Mixes, {})],
    "test_close_is_idempotent": [(ClosesOnce, {})],
}
"""For each check the providers that it catches, with the check's arguments."""
