"""For plugins that bring a front end: another API in front of the same components.

``register_routes`` brings it to the host's own HTTP server: a ``Dialect`` reads and writes the bytes of one API, and
the host does the rest. What the host's own front ends use to read a request is here too.
"""

from __future__ import annotations

from jackfield.errors import (
    BodyUnreadable,
    ComponentNotFound,
    ErrorCode,
    MalformedRequest,
    MissingInputs,
    ServiceFailed,
    error_code,
)
from jackfield.frontends.dialect import (
    JSON_TYPE,
    SSE_HEARTBEAT,
    SSE_TYPE,
    Call,
    Dialect,
    Exchange,
    Refusal,
    StreamEncoder,
    sse,
)
from jackfield.frontends.host_view import ComponentView, HostView, LeasedComponent, Listening, ServiceScope
from jackfield.hookspecs import RegisterRoutes
from jackfield.http.strict_json import parse as parse_json
from jackfield.http.wire import encode as encode_json
from jackfield.opaque import carried_id, split_id
from jackfield.overrides import OverridePolicy, Overrides, override_name, read_overrides

__all__ = [
    "JSON_TYPE",
    "SSE_HEARTBEAT",
    "SSE_TYPE",
    "BodyUnreadable",
    "Call",
    "ComponentNotFound",
    "ComponentView",
    "Dialect",
    "ErrorCode",
    "Exchange",
    "HostFault",
    "HostView",
    "LeasedComponent",
    "Listening",
    "MalformedRequest",
    "MissingInputs",
    "OverridePolicy",
    "Overrides",
    "Refusal",
    "RegisterRoutes",
    "ServiceFailed",
    "ServiceScope",
    "StreamEncoder",
    "Unauthorized",
    "carried_id",
    "encode_json",
    "error_code",
    "override_name",
    "parse_json",
    "read_overrides",
    "split_id",
    "sse",
]
