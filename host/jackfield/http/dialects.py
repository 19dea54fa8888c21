"""The two versions of Dapr's conversation API over HTTP."""

from __future__ import annotations

from typing import Any

from jackfield.errors import RequestError, error_code
from jackfield.events import Result
from jackfield.frontends.dialect import Call, Refusal, StreamEncoder
from jackfield.http.alpha1 import decode_alpha1, encode_alpha1
from jackfield.http.alpha2 import decode_alpha2, encode_alpha2
from jackfield.http.alpha2_stream import Alpha2Stream
from jackfield.http.strict_json import parse
from jackfield.http.wire import encode_error
from jackfield.messages import ConversationRequest
from jackfield.overrides import OverridePolicy

__all__ = ["Alpha1", "Alpha2"]


def _refuse(error: RequestError) -> Refusal:
    return Refusal(error_code(error).http_status, encode_error(error))


class Alpha1:
    """``v1.0-alpha1``: by its reference document (202 on success), or as daprd has it (200).

    Args:
        documented: follow the document rather than the program.
    """

    name = "alpha1"

    def __init__(self, *, documented: bool) -> None:
        self.success = 202 if documented else 200
        self._documented = documented

    def read(self, call: Call) -> _Alpha1Exchange:
        """Read a request's body."""
        return _Alpha1Exchange(call, parse(call.body), documented=self._documented)

    def refuse(self, error: RequestError) -> Refusal:
        """Write an error (contract sheet, section 1.6)."""
        return _refuse(error)


class _Alpha1Exchange:
    def __init__(self, call: Call, tree: Any, *, documented: bool) -> None:
        self.component = call.component
        self._call = call
        self._tree = tree
        self._documented = documented

    def request(self, overrides: OverridePolicy) -> ConversationRequest:
        call = self._call
        self._decoded = decode_alpha1(
            self._tree,
            component=call.component,
            policy=overrides,
            documented=self._documented,
            record=call.record,
            headers=call.headers,
        )
        return self._decoded.request

    def reply(self, result: Result) -> bytes:
        decoded = self._decoded
        return encode_alpha1(decoded.request, result, documented=self._documented, parameters=decoded.parameters)

    def stream(self) -> StreamEncoder:
        raise NotImplementedError("alpha1 has no streams, and its requests never ask for one")


class Alpha2:
    """``v1.0-alpha2``."""

    name = "alpha2"
    success = 200

    def read(self, call: Call) -> _Alpha2Exchange:
        """Read a request's body."""
        return _Alpha2Exchange(call, parse(call.body))

    def refuse(self, error: RequestError) -> Refusal:
        """Write an error (contract sheet, section 1.6)."""
        return _refuse(error)


class _Alpha2Exchange:
    __slots__ = ("_call", "_request", "_tree", "component")

    def __init__(self, call: Call, tree: Any) -> None:
        self.component = call.component
        self._call = call
        self._tree = tree

    def request(self, overrides: OverridePolicy) -> ConversationRequest:
        call = self._call
        self._request = decode_alpha2(
            self._tree,
            component=call.component,
            policy=overrides,
            record=call.record,
            headers=call.headers,
            accepts_events=call.accepts_events,
        )
        return self._request

    def reply(self, result: Result) -> bytes:
        return encode_alpha2(self._request, result)

    def stream(self) -> StreamEncoder:
        return Alpha2Stream(self._request)
