"""The route stage of ``conversation.router``: it asks one target after the other."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from jackfield import (
    Answer,
    BreakerOpen,
    ConversationRequest,
    Event,
    Handler,
    InvokeError,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    Record,
    RequestError,
    Result,
    RoutingStrategy,
    Target,
    is_fault,
    unary,
)
from jackfield.builtin.route.cooldown import Cooldown

__all__ = ["RouteHandler", "is_worth_another_target"]

_log = logging.getLogger(__name__)


class RouteHandler:
    """Answers by the first of a router's targets that can; a ``Handler``.

    A target that fails before its first event is followed by the next one; after it, the reply is that target's.

    Args:
        name: the router.
        targets: each target's chain.
        strategy: gives the order for a request.
        strategy_name: what the manifest calls it.
        default_cache_ttl: the router's ``responseCacheTTL``, for targets without one; None if it has none.
        cooldown: which targets to try last.
    """

    def __init__(
        self,
        name: str,
        targets: Mapping[Target, Handler],
        strategy: RoutingStrategy,
        *,
        strategy_name: str,
        default_cache_ttl: float | None = None,
        cooldown: Cooldown | None = None,
    ) -> None:
        self._name = name
        self._targets = tuple(targets)
        self._handlers: dict[Target, Handler] = dict(targets)
        self._answers: dict[Target, Answer] = {target: unary(handler) for target, handler in targets.items()}
        self._strategy = strategy
        self._strategy_name = strategy_name
        self._default_cache_ttl = default_cache_ttl
        self._cooldown = cooldown if cooldown is not None else Cooldown()

    async def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request."""
        if not request.stream:
            yield await self.answer(request)
            return
        order, cooldown = self._order(request), self._cooldown
        for position, target in enumerate(order, 1):
            async with aclosing(self._handlers[target](self._for(target, request))) as events:
                begun = False
                try:
                    async for event in events:
                        begun = True
                        yield event
                except RequestError as error:
                    if not self._goes_on(error, order, position, begun=begun):
                        raise
                    _forget_cache(request.record)
                else:
                    cooldown.succeeded(target)
                    return

    async def answer(self, request: ConversationRequest) -> Result:
        """Answer a request without ``stream``."""
        order, cooldown = self._order(request), self._cooldown
        for position, target in enumerate(order, 1):
            try:
                result = await self._answers[target](self._for(target, request))
            except RequestError as error:
                if not self._goes_on(error, order, position):
                    raise
                _forget_cache(request.record)
            else:
                cooldown.succeeded(target)
                return result
        raise AssertionError("the last target's error was not raised")  # pragma: no cover

    def _for(self, target: Target, request: ConversationRequest) -> ConversationRequest:
        """The request as a target gets it. The nearest router's default counts: an outer one's is for those without."""
        own = self._default_cache_ttl
        return replace(
            request,
            component=target.name,
            model=target.model or None,
            default_cache_ttl=request.default_cache_ttl if own is None else own,
        )

    def _goes_on(self, error: RequestError, order: Sequence[Target], position: int, *, begun: bool = False) -> bool:
        """Remember a target's failure, and say whether to try the next; if not, the error tells of those before."""
        target = order[position - 1]
        error.named(target.name)
        if is_worth_another_target(error):
            self._cooldown.failed(target, error)
            if position < len(order) and not begun:
                return True
        if position > 1:
            tried = ", ".join(one.name for one in order[:position])
            error.detail += f" (the last of {position} targets that {self._name} tried: {tried})"
            error.args = (error.detail,)
        return False

    def _order(self, request: ConversationRequest) -> list[Target]:
        """Ask the strategy.

        Raises:
            RequestError: the strategy refuses the request.
            InvokeError: it failed, or chose nothing that can be tried.
        """
        strategy = f"the routing strategy {self._strategy_name}"
        try:
            chosen = self._known(self._strategy.order(request, self._targets))
        except RequestError as error:
            raise error.named(self._name) from None
        except BaseException as error:
            if not is_fault(error):
                raise
            # Its text may hold a message.
            kind = type(error).__name__
            about = {"component": self._name, "strategy": self._strategy_name}
            about |= {"class": _full_name(type(self._strategy)), "error": kind}
            _log.error("a routing strategy raised an unexpected error", extra=about)
            cause = f"{strategy} raised {kind}, a fault of its plugin; see the host's log"
            raise InvokeError(cause, component=self._name) from None
        if not chosen:
            raise InvokeError(f"{strategy} chose none of the targets", component=self._name)
        return self._cooldown.last(chosen)

    def _known(self, order: Iterable[Target]) -> list[Target]:
        """Take each target once, and none that isn't this router's."""
        chosen: dict[Target, None] = {}
        for target in order:
            if target in self._handlers:
                chosen[target] = None
                if len(chosen) == len(self._targets):
                    break
        return list(chosen)


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _forget_cache(record: Record) -> None:
    """Take back what a target's cache noted: the next one, which may have none, is to tell of its own."""
    record.cache = record.cache_key = record.cache_note = ""


def is_worth_another_target(error: RequestError) -> bool:
    """Say whether another target may answer what this one didn't.

    That is so if no connection or no answer came, if the provider says that it is busy or in trouble (408, 429, 500 and
    above) or answers with nonsense, and if it wasn't asked at all. A request that is wrong stays so elsewhere.
    """
    if isinstance(error, ProviderError):
        return error.status is None or error.status in {408, 429} or error.status >= 500
    return isinstance(error, ProviderUnreachable | ProviderTimeout | BreakerOpen | Overloaded)
