"""The resilience stage: retry( breaker( timeout( call ) ) ), next to the provider.

Where no policy applies it makes no generator and awaits nothing of its own: it hands out what the handler further in
has made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing

from jackfield.chain.handler import Handler, Stage
from jackfield.chain.unary import unary
from jackfield.errors import InvokeError, Overloaded, ProviderTimeout, RequestError
from jackfield.events import Event, Finish, Result
from jackfield.messages import ConversationRequest
from jackfield.resilience.holder import ArmedPlan, Holder
from jackfield.resilience.verdicts import Verdict, judge

__all__ = ["resilience_stage"]


def resilience_stage(holder: Holder) -> Stage:
    """Make the stage of one component.

    Args:
        holder: what applies to the component; a request looks once, when it begins.
    """

    def stage(handler: Handler) -> Handler:
        return _Resilient(handler, holder)

    return stage


class _Resilient:
    """A ``Handler``."""

    def __init__(self, inner: Handler, holder: Holder) -> None:
        self._inner = inner
        self._inner_answer = unary(inner)
        self._holder = holder

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request."""
        plan = self._holder.plan
        if plan is None:
            return self._inner(request)
        return self._stream(request, plan) if request.stream else self._one(request, plan)

    def answer(self, request: ConversationRequest) -> Awaitable[Result]:
        """Answer a request without ``stream``."""
        plan = self._holder.plan
        return self._inner_answer(request) if plan is None else self._answer(request, plan)

    async def _one(self, request: ConversationRequest, plan: ArmedPlan) -> AsyncGenerator[Event, None]:
        yield await self._answer(request, plan)

    async def _answer(self, request: ConversationRequest, plan: ArmedPlan) -> Result:
        repeats = self._holder.repeats(plan)
        while True:
            try:
                result = await self._attempt(request, plan)
            except RequestError as error:
                wait = repeats.wait(error) if repeats is not None else None
                if wait is None:
                    raise
            else:
                if repeats is not None:
                    repeats.succeeded()
                return result
            await self._holder.timing.sleep(wait)

    async def _attempt(self, request: ConversationRequest, plan: ArmedPlan) -> Result:
        ticket, before = plan.enter(), request.record.attempts
        try:
            result = await plan.whole(self._inner_answer(request))
        except ProviderTimeout as error:
            told = self._late(error, request, before)
            plan.leave(ticket, judge(told))
            raise told from None
        except BaseException as error:
            plan.leave(ticket, judge(error))
            raise
        plan.leave(ticket, Verdict.SUCCESS)
        return result

    async def _stream(self, request: ConversationRequest, plan: ArmedPlan) -> AsyncGenerator[Event, None]:
        repeats = self._holder.repeats(plan)
        while True:
            async with aclosing(self._streamed_attempt(request, plan)) as events:
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
                except RequestError as error:
                    wait = repeats.wait(error) if repeats is not None else None
                    if wait is None:
                        raise
                else:
                    if repeats is not None:
                        repeats.succeeded()
                    # From here on the reply is this attempt's: what has left can't be taken back.
                    yield event
                    async for event in events:
                        yield event
                    return
            await self._holder.timing.sleep(wait)

    async def _streamed_attempt(self, request: ConversationRequest, plan: ArmedPlan) -> AsyncGenerator[Event, None]:
        ticket, before = plan.enter(), request.record.attempts
        verdict, begun = Verdict.NEITHER, False
        try:
            # A router's limit is over with the first event: then a target has begun, which has limits of its own.
            async with (
                aclosing(self._inner(request)) as events,
                aclosing(plan.gaps(events, first_only=self._holder.is_router)) as timed,
            ):
                async for event in timed:
                    if not begun:
                        ticket, begun = plan.begun(ticket), True
                    if type(event) is Finish:
                        verdict = Verdict.SUCCESS  # whatever the reader does after that, the provider has answered
                    yield event
        except GeneratorExit:
            raise
        except ProviderTimeout as error:
            told = self._late(error, request, before)
            verdict = judge(told)
            raise told from None
        except BaseException as error:
            verdict = judge(error)
            raise
        finally:
            plan.leave(ticket, verdict)

    def _late(self, error: ProviderTimeout, request: ConversationRequest, before: int) -> InvokeError:
        """Tell a provider that was too slow from a call that has waited for a place all the time.

        Args:
            error: the time limit that ran out.
            request: the request; its record counts the calls that have begun.
            before: how many they were when this attempt began.
        """
        if self._holder.is_router or request.record.attempts > before:
            return error
        return Overloaded(f"{error.detail}: as many calls are running as the component's maxConcurrency allows")
