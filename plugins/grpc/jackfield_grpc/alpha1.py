"""``ConverseAlpha1`` (contract sheet, section 1.3), with daprd's semantics."""

from __future__ import annotations

from dapr.proto.runtime.v1 import ai_pb2

from jackfield import ConversationRequest, Headers, InvalidParameters, Record, Result
from jackfield.frontends import MissingInputs, OverridePolicy, alpha1_message, read_overrides
from jackfield_grpc.values import read_any

__all__ = ["decode", "encode"]


def decode(
    sent: ai_pb2.ConversationRequest, policy: OverridePolicy, record: Record, headers: Headers
) -> ConversationRequest:
    """Read a request.

    Args:
        sent: the message.
        policy: which settings the component lets a request override.
        record: the facts of this request; ``ignored`` is set.
        headers: the call's metadata.

    Raises:
        MissingInputs: there are no inputs.
        InvalidParameters: the first value that can't be used.
    """
    doubts: list[str] = []
    others = {"temperature": sent.temperature} if sent.HasField("temperature") else {}
    try:
        parameters = read_any(sent.parameters)
    except ValueError as error:
        raise InvalidParameters(str(error)) from None
    overrides = read_overrides(others, parameters, dict(sent.metadata), policy=policy, record=record, doubts=doubts)
    if not sent.inputs:
        raise MissingInputs
    if doubts:
        raise InvalidParameters(doubts[0])
    return ConversationRequest(
        component=sent.name,
        messages=tuple(
            alpha1_message(given.content, given.role, index, scrub=given.scrubPII)
            for index, given in enumerate(sent.inputs)
        ),
        settings=overrides.settings,
        model=overrides.model,
        metadata=overrides.metadata,
        context_id=sent.contextID,
        scrub_reply=sent.scrubPII,
        headers=headers,
        record=record,
    )


def encode(sent: ai_pb2.ConversationRequest, result: Result) -> ai_pb2.ConversationResponse:
    """Write a reply: one output per choice, each repeating the request's ``parameters``."""
    reply = ai_pb2.ConversationResponse()
    if sent.contextID:
        reply.contextID = sent.contextID
    for choice in result.choices:
        output = reply.outputs.add(result=choice.text)
        for key, value in sent.parameters.items():
            output.parameters[key].CopyFrom(value)
    return reply
