"""What authors of services write with the names that ``jackfield.frontends`` exports, for type checkers to read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import assert_type

from jackfield import ConversationRequest, Event, Message, Record, RequestError, Result, TextPart, hookimpl
from jackfield.frontends import (
    ComponentView,
    ErrorCode,
    HostView,
    LeasedComponent,
    Listening,
    OverridePolicy,
    ServiceFailed,
    ServiceScope,
)


@hookimpl
def run_service(host: HostView, scope: ServiceScope) -> AbstractAsyncContextManager[None] | None:
    assert_type((scope.worker, scope.workers, scope.group), tuple[int, int, str])
    return service(host) if scope.once else None


@asynccontextmanager
async def service(host: HostView) -> AsyncGenerator[None, None]:
    if host.option("dapr-grpc-port") is None:
        raise ServiceFailed("there is no port; give one", needed=False)
    listening: Listening = host.listening
    assert_type(listening.certificate, Path | None)
    components: tuple[ComponentView, ...] = host.components()
    record = Record(request_id=host.new_request_id(), api="mine", component=components[0].name)
    try:
        async with host.lease(record.component) as component:
            assert_type(component, LeasedComponent)
            assert_type(component.overrides, OverridePolicy)
            request = ConversationRequest(
                component=record.component,
                messages=(Message(role="user", parts=(TextPart("hello"),)),),
                settings=component.overrides.defaults,
                record=record,
            )
            assert_type(await component.answer(request), Result)
            async with aclosing(component.stream(request)) as events:
                async for event in events:
                    assert_type(event, Event)
    except RequestError as error:
        assert_type(host.error_code(error), ErrorCode)
    finally:
        host.finished(record)
    await host.set_metadata("served", "yes")
    yield
    host.request_stop(force=False)
