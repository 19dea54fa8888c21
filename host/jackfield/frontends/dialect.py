"""What a front end over HTTP is made of: how its API's bytes are read and written.

The host does all the rest for a conversation path: it reads the body within its limits, watches the client, finds and
leases the component, keeps the record, sends headers, streams as fast as the client reads, and stops in an orderly way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from jackfield.errors import RequestError
from jackfield.events import Event, Result
from jackfield.headers import Headers
from jackfield.messages import ConversationRequest, Record
from jackfield.overrides import OverridePolicy

if TYPE_CHECKING:
    from jackfield.frontends.host_view import HostView

__all__ = ["JSON_TYPE", "SSE_HEARTBEAT", "SSE_TYPE", "Call", "Dialect", "Exchange", "Refusal", "StreamEncoder", "sse"]

JSON_TYPE = "application/json"
SSE_TYPE = "text/event-stream"
SSE_HEARTBEAT = b": heartbeat\n\n"
"""A comment of Server-Sent Events: it keeps a connection from being taken for dead, and every client skips it."""


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request on a conversation path, its body whole.

    Attributes:
        body: the body's bytes, within the host's limit.
        headers: the caller's headers.
        record: the facts of this request; what decodes sets ``ignored``.
        component: the component's name from the path; empty where the path has none.
        accepts_events: the ``Accept`` header asks for ``text/event-stream``.
        host: the host that serves it, for one who has to know which components there are.
    """

    body: bytes
    headers: Headers
    record: Record
    component: str = ""
    accepts_events: bool = False
    host: HostView


class Refusal(Struct, frozen=True):
    """How an error is told, before anything else of the reply has left.

    Attributes:
        status: the HTTP status.
        body: the body, of the media type that ``media_type`` names.
        headers: further headers, names in lower case, such as ``retry-after``.
        media_type: the body's type.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = JSON_TYPE


class StreamEncoder(Protocol):
    """Writes one streamed reply. It is made for one reply, so that it may remember what it has written.

    What a method returns leaves at once, and the next event is asked for when the client has room for more.
    """

    @property
    def media_type(self) -> str:
        """The reply's ``content-type``, such as ``SSE_TYPE``."""

    @property
    def heartbeat(self) -> bytes:
        """What says nothing and keeps the connection: sent on silence after the first event. Empty for none."""

    def event(self, event: Event) -> bytes:
        """Write a ``Delta``, ``Finish`` or ``Usage``; empty for one that has no place in this API."""

    def end(self, record: Record) -> bytes:
        """Write what stands behind the last event of a whole reply.

        Args:
            record: the facts of the request, which is done but for the sending.
        """

    def error(self, error: RequestError) -> bytes:
        """Write that the reply breaks off here: nothing comes after it."""


class Exchange(Protocol):
    """One request that could be read, and how it is answered."""

    @property
    def component(self) -> str:
        """The component that is asked."""

    def request(self, overrides: OverridePolicy) -> ConversationRequest:
        """Make the chain's request, ``stream`` set where the caller wants one. ``Call.record`` becomes its record.

        Args:
            overrides: which settings the component lets a request override, and its own.

        Raises:
            RequestError: it asks for something that can't be done.
        """

    def reply(self, result: Result) -> bytes:
        """Write a whole reply, as JSON; called after ``request``, unless that asked for a stream."""

    def stream(self) -> StreamEncoder:
        """Give what writes a streamed reply; called after ``request`` if that asked for one."""


class Dialect(Protocol):
    """An API for conversation over HTTP. It is made once, and serves requests side by side."""

    @property
    def name(self) -> str:
        """The front end's name in records and metrics, such as ``alpha2``."""

    @property
    def success(self) -> int:
        """The HTTP status of a reply that is no error."""

    def read(self, call: Call) -> Exchange:
        """Read a request's body, as far as that can be done before its component is known.

        Raises:
            RequestError: it can't be read; ``MalformedRequest`` for what is not this API's.
        """

    def refuse(self, error: RequestError) -> Refusal:
        """Write an error. ``error.message`` may be shown to the caller, and holds no secret.

        A body over the limit or never finished, a component that isn't there, a provider's failure and a fault of the
        host's own all come here; ``error_code(error)`` says how Dapr's API tells them.
        """


def sse(data: bytes, event: str = "") -> bytes:
    """Write one Server-Sent Event (WHATWG HTML, section 9.2).

    Args:
        data: one line, such as a JSON object.
        event: its name; without one it is a plain message.
    """
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data) if event else b"data: %s\n\n" % data
