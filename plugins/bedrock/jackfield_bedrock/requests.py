"""From a ``ConversationRequest`` to the parameters of ``Converse`` and ``ConverseStream``, which are the same."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jackfield import ConversationRequest, InvalidParameters
from jackfield_bedrock.families import Family, family_of
from jackfield_bedrock.history import conversation
from jackfield_bedrock.tools import tools_of

__all__ = ["Call", "build_call"]

_INFERENCE: Final[Mapping[str, str]] = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
}
_ELSEWHERE: Final = ("top_k", "seed", "presence_penalty", "frequency_penalty")
_FIVE_MINUTES: Final = 300.0
_MOST_METADATA: Final = 16
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}")


@dataclass(frozen=True)
class Call:
    """One call of either operation.

    Attributes:
        parameters: the operation's parameters.
        model: the model that is asked.
        structure: the tool whose input is the reply's text; empty if the reply is ordinary.
    """

    parameters: dict[str, Any]
    model: str
    structure: str = ""


def build_call(request: ConversationRequest, *, model: str, additional: Mapping[str, Any]) -> Call:
    """Write a request for one model.

    Args:
        request: what is asked. What the model has no equivalent for is named in its record.
        model: the id or ARN to name.
        additional: the manifest's ``additionalModelRequestFields``; they win over what the request's settings become.

    Raises:
        InvalidParameters: the request asks for what Converse can't do.
    """
    if (request.settings.n or 1) > 1:
        raise InvalidParameters(f"n is {request.settings.n}, and Bedrock gives one choice per request; leave n out")
    family = family_of(model)
    system, turns = conversation(request.messages)
    tools = tools_of(request, turns)
    parameters: dict[str, Any] = {"modelId": model, "messages": turns}
    if system:
        parameters["system"] = system
    if inference := _inference(request):
        parameters["inferenceConfig"] = inference
    if tools.config is not None:
        parameters["toolConfig"] = tools.config
    if tools.loose:
        _ignore(request, "tool_choice")
    if fields := _fields(request, family, additional):
        parameters["additionalModelRequestFields"] = fields
    if request.metadata and (metadata := _metadata(request)):
        parameters["requestMetadata"] = metadata
    if request.prompt_cache_retention is not None and request.prompt_cache_retention > 0:
        _cache(parameters, request, family)
    return Call(parameters, model, tools.structure)


def _ignore(request: ConversationRequest, name: str) -> None:
    if name not in request.record.ignored:  # A retry builds the call again.
        request.record.ignored = (*request.record.ignored, name)


def _inference(request: ConversationRequest) -> dict[str, Any]:
    settings = request.settings
    inference = {theirs: value for ours, theirs in _INFERENCE.items() if (value := getattr(settings, ours)) is not None}
    if settings.stop:
        inference["stopSequences"] = list(settings.stop)
    return inference


def _fields(request: ConversationRequest, family: Family, additional: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in _ELSEWHERE:
        value = getattr(request.settings, name)
        if value is None:
            continue
        path = family.fields.get(name)
        if path is None:
            _ignore(request, name)
            continue
        place = fields
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value
    return _merged(fields, additional) if additional else fields


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in above.items():
        inner = below.get(name)
        below[name] = (
            _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else copy.deepcopy(value)
        )
    return below


def _metadata(request: ConversationRequest) -> dict[str, str]:
    """Return what goes into AWS's invocation log; leave out what daprd keeps to itself and what AWS would refuse."""
    own = {
        name: value
        for name, value in request.metadata.items()
        if name != "thinking_config" and not name.startswith("openai:")
    }
    fit = {name: value for name, value in own.items() if _METADATA.fullmatch(name) and _METADATA.fullmatch(value)}
    sent = dict(list(fit.items())[:_MOST_METADATA])
    if len(sent) < len(own):
        _ignore(request, "metadata")
    return sent


def _cache(parameters: dict[str, Any], request: ConversationRequest, family: Family) -> None:
    """End the parts of a prompt that tend to come again with cache points, where the model knows them."""
    if not family.cache_points:
        _ignore(request, "prompt_cache_retention")
        return
    point: dict[str, Any] = {"type": "default"}
    if family.hour and (request.prompt_cache_retention or 0) > _FIVE_MINUTES:
        point["ttl"] = "1h"
    if "tools" in family.cache_points and "toolConfig" in parameters:
        parameters["toolConfig"]["tools"].append({"cachePoint": point})
    if "system" in family.cache_points and "system" in parameters:
        parameters["system"].append({"cachePoint": point})
    if "messages" in family.cache_points and parameters["messages"][-1]["role"] == "user":
        parameters["messages"][-1]["content"].append({"cachePoint": point})
