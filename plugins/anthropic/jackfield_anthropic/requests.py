"""From a ``ConversationRequest`` to the body of a call of the Messages API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from jackfield import ConversationRequest, InvalidParameters, Tool
from jackfield_anthropic.defaults import MAX_TOKENS, MAX_TOKENS_THINKING, MODEL
from jackfield_anthropic.dialect import Dialect
from jackfield_anthropic.structure import answer_tool, output_format
from jackfield_anthropic.thinking import Thinking, thinking_config
from jackfield_anthropic.turns import build_turns, lacks_thinking
from jackfield_anthropic.wire import InputTool, MessagesBody, ThinkingConfig

__all__ = ["build_body"]

_UNKNOWN: Final = ("seed", "presence_penalty", "frequency_penalty")
_FIVE_MINUTES: Final = 300.0
_THINKING_TOP_P: Final = 0.95


def build_body(
    request: ConversationRequest, *, model: str, dialect: Dialect, thinking: Thinking, stream: bool = False
) -> MessagesBody:
    """Write a request for one model.

    Args:
        request: what is asked.
        model: the model to name.
        dialect: what the model understands.
        thinking: what the manifest says of thinking.
        stream: whether to ask for the reply as it is written.

    Returns:
        The body. Settings that the model doesn't take are left out and named in the request's record.

    Raises:
        InvalidParameters: the request asks for what the model can't do; the text names what and the way out.
    """
    if (request.settings.n or 1) > 1:
        raise InvalidParameters("n is more than 1, but Anthropic's API writes one choice; ask several times instead")
    try:
        config = thinking_config(thinking, dialect, model)
    except ValueError as error:
        raise InvalidParameters(str(error)) from None
    system, turns = build_turns(request.messages, thinking=_thinks(config, dialect) is not False)
    if config is not None and config.type == "enabled" and lacks_thinking(turns):
        _ignore(request, ["thinking"])
        config = None
        system, turns = build_turns(request.messages, thinking=False)
    if not turns:
        raise InvalidParameters("Anthropic's API needs a message of role user with some text")
    body = MessagesBody(
        model=model,
        max_tokens=_max_tokens(request, config, dialect),
        messages=turns,
        system=system or None,
        stream=stream,
        thinking=config,
    )
    _apply_settings(body, request, dialect)
    _apply_tools(body, request, dialect)
    output = {"effort": thinking.effort, "format": output_format(request, dialect)}
    body.output_config = {name: value for name, value in output.items() if value is not None} or None
    if user := request.metadata.get("user_id"):
        body.metadata = {"user_id": user}
    body.cache_control = _retention(request.prompt_cache_retention)
    return body


def _thinks(config: ThinkingConfig | None, dialect: Dialect) -> bool | None:
    return dialect.thinks if config is None else config.type != "disabled"


def _max_tokens(request: ConversationRequest, config: ThinkingConfig | None, dialect: Dialect) -> int:
    wanted = request.settings.max_tokens
    budget = config.budget_tokens if config is not None else None
    if budget is not None and wanted is not None and wanted <= budget:
        raise InvalidParameters(
            f"max tokens ({wanted}) must be more than the manifest's thinking ({budget} tokens), which counts towards"
            " them; raise the one or lower the other"
        )
    if wanted is not None:
        return wanted
    if budget is not None:
        return budget + MAX_TOKENS
    return MAX_TOKENS_THINKING if _thinks(config, dialect) else MAX_TOKENS


def _apply_settings(body: MessagesBody, request: ConversationRequest, dialect: Dialect) -> None:
    settings = request.settings
    thinking = body.thinking is not None and body.thinking.type != "disabled"
    body.stop_sequences = settings.stop or None
    left_out = [name for name in _UNKNOWN if getattr(settings, name) is not None]
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(settings, name)
        if value is None:
            continue
        taken = dialect.samples
        if thinking and dialect.samples:
            taken = name == "top_p" and value >= _THINKING_TOP_P
        if name == "top_p" and body.temperature is not None and not dialect.samples_both:
            taken = False
        if taken:
            setattr(body, name, value)
        else:
            left_out.append(name)
    _ignore(request, left_out)


def _ignore(request: ConversationRequest, names: Iterable[str]) -> None:
    """Name settings in the record; a retry builds the body again and names none twice."""
    known = request.record.ignored
    request.record.ignored = (*known, *(name for name in names if name not in known))


def _apply_tools(body: MessagesBody, request: ConversationRequest, dialect: Dialect) -> None:
    tools = [_tool(tool) for tool in request.tools]
    answer = answer_tool(request, dialect)
    if answer is not None:
        if not request.tools or request.tool_choice == "none":
            body.tool_choice = {"type": "tool", "name": answer.name}
        else:
            body.tool_choice = {"type": "any"}
        tools.append(answer)
    elif tools:
        body.tool_choice = _tool_choice(request)
    body.tools = tools or None
    if body.tool_choice is not None and body.tool_choice["type"] in {"any", "tool"}:
        _check_forced(body, request, dialect, wanted="a response format" if answer else "tool_choice")


def _check_forced(body: MessagesBody, request: ConversationRequest, dialect: Dialect, *, wanted: str) -> None:
    if not dialect.forces_tools:
        fix = "use tool_choice auto" if wanted == "tool_choice" else "give it a schema"
        raise InvalidParameters(
            f"{wanted} needs a forced tool call here, which {body.model} refuses; {fix}, or a model that can be forced,"
            f" such as {MODEL}"
        )
    if body.thinking is not None and body.thinking.type == "enabled":
        fix = "set thinking to off, or to adaptive where the model can"
        fix = f"use tool_choice auto, or {fix}" if wanted == "tool_choice" else fix
        raise InvalidParameters(
            f"{wanted} needs a forced tool call here, which excludes a budget for thinking ({request.component}'s"
            f" thinking is {body.thinking.budget_tokens}); {fix}"
        )


def _tool(tool: Tool) -> InputTool:
    schema = dict(tool.parameters or {})
    if not isinstance(schema.get("type"), str):
        schema["type"] = "object"
    schema.setdefault("properties", {})
    return InputTool(tool.name, schema, tool.description or None)


def _tool_choice(request: ConversationRequest) -> dict[str, Any] | None:
    choice = request.tool_choice
    if not choice:
        return None
    if choice in {"auto", "none"}:
        return {"type": choice}
    if choice == "required" or (choice == "any" and all(tool.name != "any" for tool in request.tools)):
        return {"type": "any"}
    return {"type": "tool", "name": choice}


def _retention(seconds: float | None) -> dict[str, str] | None:
    """Ask for a prompt cache that covers a number of seconds: five minutes or an hour, there is nothing longer."""
    if seconds is None or seconds <= 0:
        return None
    return {"type": "ephemeral", "ttl": "5m" if seconds <= _FIVE_MINUTES else "1h"}
