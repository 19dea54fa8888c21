"""From a chat completions body to a ``ConversationRequest``."""

from __future__ import annotations

from typing import Any

from jackfield import ConversationRequest
from jackfield.frontends import Call, OverridePolicy, parse_json, read_cache_ttl
from jackfield_openai_api.content import read_messages
from jackfield_openai_api.errors import Refused
from jackfield_openai_api.functions import read_response_format, read_tool_choice, read_tools
from jackfield_openai_api.options import read_extra, read_metadata, read_retention, read_settings, take_own
from jackfield_openai_api.values import boolean, mapping, members, text

__all__ = ["ChatRequest"]


class ChatRequest:
    """One request's body, read as far as that goes without its component.

    Args:
        call: the HTTP request.

    Attributes:
        model: what the caller asked for, as it was written.
        component: the component that it names.

    Raises:
        MalformedRequest: the body is no JSON.
        Refused: it is no object or names no model, or the operator denies conversation over HTTP in all versions.
    """

    def __init__(self, call: Call) -> None:
        if not any(call.host.allows("conversation", version, "http") for version in ("v1alpha1", "v1alpha2")):
            raise Refused("the Configuration of this host allows no conversation over HTTP", status=403, code="denied")
        self._call = call
        self._found = members(parse_json(call.body), "")
        self.model = text(self._found, "model")
        if not self.model:
            raise Refused("model: missing; send a component's name, which GET /v1/models lists", param="model")
        self.component, self._chosen = _parted(self.model, call)
        self.stream = boolean(self._found, "stream")
        options = mapping(self._found, "stream_options") or {}
        self.include_usage = boolean(options, "include_usage", "stream_options")

    def decode(self, policy: OverridePolicy) -> ConversationRequest:
        """Make the chain's request.

        Args:
            policy: which settings the component lets a request override.

        Raises:
            RequestError: a member has the wrong type or a value that can't be used; the first that is found.
        """
        found: dict[str, Any] = dict(self._found)
        record = self._call.record
        scrub, ttl = take_own(found)
        extra = read_extra(found, policy=policy)
        tools = read_tools(found)
        settings = read_settings(found, self._chosen, policy=policy, record=record)
        doubts: list[str] = []
        cache_ttl = read_cache_ttl({"cacheTTL": ttl}, doubts)
        if doubts:
            raise Refused(doubts[0].replace("cacheTTL", "cache_ttl"), param="cache_ttl")
        return ConversationRequest(
            component=self.component,
            messages=read_messages(found, scrub=scrub),
            tools=tools,
            tool_choice=read_tool_choice(found, tools),
            response_format=read_response_format(found),
            settings=settings.settings,
            model=settings.model,
            metadata=read_metadata(found),
            extra=extra,
            prompt_cache_retention=read_retention(found),
            cache_ttl=cache_ttl,
            scrub_reply=scrub,
            stream=self.stream,
            headers=self._call.headers,
            record=record,
        )


def _parted(model: str, call: Call) -> tuple[str, str]:
    """Return the component that a model names, and the provider's model; a component's own name may hold slashes."""
    if "/" not in model or any(component.name == model for component in call.host.components()):
        return model, ""
    component, _, chosen = model.partition("/")
    return component, chosen
