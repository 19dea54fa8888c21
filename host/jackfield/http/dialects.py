"""The two versions of Dapr's conversation API over HTTP."""

from __future__ import annotations

from functools import partial

from jackfield.headers import Headers
from jackfield.http.alpha1 import decode_alpha1, encode_alpha1
from jackfield.http.alpha2 import decode_alpha2, encode_alpha2
from jackfield.http.conversation import Encode
from jackfield.messages import ConversationRequest, Record
from jackfield.overrides import OverridePolicy

__all__ = ["Alpha1", "Alpha2"]


class Alpha1:
    """``v1.0-alpha1``: by its reference document (202 on success), or as daprd has it (200).

    Args:
        documented: follow the document rather than the program.
    """

    name = "alpha1"

    def __init__(self, *, documented: bool) -> None:
        self.success = 202 if documented else 200
        self._documented = documented

    def decode(
        self, body: bytes, component: str, policy: OverridePolicy, record: Record, headers: Headers
    ) -> tuple[ConversationRequest, Encode]:
        """Read a request; give it and what writes its reply."""
        documented = self._documented
        decoded = decode_alpha1(
            body, component=component, policy=policy, documented=documented, record=record, headers=headers
        )
        encode = partial(encode_alpha1, documented=documented, parameters=decoded.parameters)
        return decoded.request, encode


class Alpha2:
    """``v1.0-alpha2``."""

    name = "alpha2"
    success = 200

    def decode(
        self, body: bytes, component: str, policy: OverridePolicy, record: Record, headers: Headers
    ) -> tuple[ConversationRequest, Encode]:
        """Read a request; give it and what writes its reply."""
        request = decode_alpha2(body, component=component, policy=policy, record=record, headers=headers)
        return request, encode_alpha2
