"""For plugins that bring a front end: another API in front of the same components.

``register_routes`` brings it to the host's own HTTP server: a ``Dialect`` reads and writes the bytes of one API, and
the host does the rest. What the host's own front ends use to read a request is here too.
"""

from __future__ import annotations

from jackfield.errors import (
    BodyUnreadable,
    ComponentNotFound,
    ErrorCode,
    HostFault,
    MalformedRequest,
    MissingInputs,
    ServiceFailed,
    Unauthorized,
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
from jackfield.frontends.rules import KNOWN_ROLES, alpha1_message, chosen_tool
from jackfield.hookspecs import RegisterRoutes
from jackfield.http.facts import DEBUG as DEBUG_HEADER
from jackfield.http.facts import add_facts, add_overhead
from jackfield.http.response_format import read_response_format
from jackfield.http.strict_json import parse as parse_json
from jackfield.http.wire import cache_ttl as read_cache_ttl
from jackfield.http.wire import encode as encode_json
from jackfield.opaque import carried_id, split_id
from jackfield.overrides import OverridePolicy, Overrides, override_name, read_overrides

__all__ = [
    "DEBUG_HEADER",
    "JSON_TYPE",
    "KNOWN_ROLES",
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
    "add_facts",
    "add_overhead",
    "alpha1_message",
    "carried_id",
    "chosen_tool",
    "encode_json",
    "error_code",
    "override_name",
    "parse_json",
    "read_cache_ttl",
    "read_overrides",
    "read_response_format",
    "split_id",
    "sse",
]
