"""``jackfield converse`` says something to a component of a running host."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click

from jackfield.cli.client import HostError, RunningHostClient, ServerSentEvent, host_url, token_from_environment

__all__ = ["converse"]


@click.command()
@click.argument("name")
@click.argument("text")
@host_url
@click.option("--system", default="", metavar="TEXT", help="A system message before the text.")
@click.option("--temperature", type=click.FloatRange(min=0), help="Randomness; the component's own if not given.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest reply, in tokens.")
@click.option("--json", "as_json", is_flag=True, help="Print the host's whole reply as JSON.")
@click.option(
    "--stream/--no-stream",
    default=None,
    help="Print the reply while it is being written, as is done on a terminal, or once it is whole.",
)
def converse(
    *,
    name: str,
    text: str,
    url: str,
    system: str,
    temperature: float | None,
    max_tokens: int | None,
    as_json: bool,
    stream: bool | None,
) -> None:
    """Send TEXT to the component NAME of a running host and print the reply.

    TEXT may be - to read it from standard input. Ctrl-C takes the request back. A host that wants an API token gets the
    one in the variable DAPR_API_TOKEN.
    """
    if as_json and stream:
        raise click.UsageError("--json prints a whole reply; leave out --stream")
    if text == "-":
        text = _standard_input()
    messages = [{"ofSystem": _content(system)}] if system else []
    body: dict[str, Any] = {"inputs": [{"messages": [*messages, {"ofUser": _content(text)}]}]}
    if temperature is not None:
        body["temperature"] = temperature
    if max_tokens is not None:
        body["maxTokens"] = max_tokens
    client = RunningHostClient(url, token_from_environment())
    path = f"/v1.0-alpha2/conversation/{quote(name, safe='')}/converse"
    if stream or (stream is None and not as_json and sys.stdout.isatty()):
        _print_stream(client.stream(path, body))
        return
    reply = client.request("POST", path, body).json()
    click.echo(json.dumps(reply, indent=2, ensure_ascii=False) if as_json else _text(reply))


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise click.BadParameter("standard input is not UTF-8; convert it first", param_hint="TEXT") from None


def _content(text: str) -> dict[str, Any]:
    return {"content": [{"text": text}]}


def _print_stream(events: Iterator[ServerSentEvent]) -> None:
    """Print the first choice as it comes, and each other one after it, on lines of its own."""
    others: dict[str, str] = {}
    begun = False
    try:
        for event in events:
            for output in event.data.get("outputs", []):
                for choice in output.get("choices", []):
                    content, index = choice.get("delta", {}).get("content", ""), choice.get("index", "")
                    if index:
                        others[index] = others.get(index, "") + content
                    else:
                        click.echo(content, nl=False)
                        begun = begun or bool(content)
    except HostError:
        if begun:
            click.echo()  # what is said of the error gets a line of its own
        raise
    click.echo("\n".join(["", *others.values()]))


def _text(reply: Mapping[str, Any]) -> str:
    """The text of every choice, each on lines of its own."""
    choices = [choice for output in reply.get("outputs", []) for choice in output.get("choices", [])]
    return "\n".join(choice.get("message", {}).get("content", "") for choice in choices)
