"""The component type ``conversation.echo``, as Dapr has it (contract sheet, section 10.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jackfield import (
    Choice,
    Conversation,
    ConversationRequest,
    DaprSettings,
    InvokeError,
    Message,
    RegisterComponents,
    Result,
    TextPart,
    Tool,
    ToolCall,
    Usage,
    hookimpl,
)

__all__ = ["Echo", "register_components"]


class Echo(Conversation[DaprSettings]):
    """Answers with what it was sent; it has no model and no settings."""

    Settings = DaprSettings
    answers_each_input = True

    async def converse(self, request: ConversationRequest) -> Result:
        """Join all text with newlines, and call every tool once.

        Raises:
            InvokeError: a tool's ``properties`` are no object, or a message holds something else than text.
        """
        calls = tuple([_call(position, tool) for position, tool in enumerate(request.tools)])
        conversations: Iterable[Sequence[Message]] = (request.messages,)
        if request.answer_each_input:
            by_input: dict[int, list[Message]] = {}
            for message in request.messages:
                by_input.setdefault(message.input, []).append(message)
            conversations = by_input.values()
        choices = tuple([_choice(messages, calls) for messages in conversations])
        words = sum([len(choice.text.split()) for choice in choices])
        return Result(choices=choices, usage=Usage(words, words, 2 * words))


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.echo``."""
    register.conversation("conversation.echo", Echo)


def _choice(messages: Sequence[Message], calls: tuple[ToolCall, ...]) -> Choice:
    """Answer one conversation: the tools' calls come before those that the history holds."""
    lines: list[str] = []
    history: list[ToolCall] = []
    for message in messages:
        history += message.tool_calls
        for part in message.parts:
            if not isinstance(part, TextPart):
                raise InvokeError(f"found invalid content type as input for {type(part).__name__}")
            lines.append(part.text if message.role != "tool" else _tool_line(message, part))
    text = TextPart("\n".join(lines))
    calls += tuple(history)
    return Choice(parts=(text,), tool_calls=calls, finish_reason="tool_calls" if calls else "stop")


def _tool_line(message: Message, part: TextPart) -> str:
    return f"Tool Response for tool ID '{message.tool_call_id}' with name '{message.name}': {part.text}"


def _call(position: int, tool: Tool) -> ToolCall:
    """Call a tool with the names of its parameters: comma-separated text, not JSON, as Dapr's component writes it."""
    properties = (tool.parameters or {}).get("properties", {})
    if not isinstance(properties, dict):
        raise InvokeError(f"tool function properties must be a map[string]any, got {_GO_TYPES[type(properties)]}")
    return ToolCall(id=str(position), name=tool.name, arguments=",".join(sorted(properties)))


_GO_TYPES = {str: "string", bool: "bool", int: "float64", float: "float64", list: "[]interface {}", type(None): "<nil>"}
