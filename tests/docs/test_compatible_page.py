"""The page about compatible providers: its plugin answers, and what it says of the dialect is so."""

from __future__ import annotations

import asyncio
import re
from dataclasses import fields
from typing import Any

from markdown import page

from jackfield import Build, ConversationRequest, GenerationSettings, Message, Result, TextPart, collect
from jackfield.testing import FakeUpstream, chat
from jackfield_openai import CompatibleSettings, Dialect

PAGE = page("docs/plugins/compatible.md")
REQUEST = ConversationRequest(
    component="llm",
    messages=(Message(role="user", parts=(TextPart("hello"),)),),
    settings=GenerationSettings(top_k=3, temperature=0.5),
)


def plugin() -> dict[str, Any]:
    """The page's module."""
    names: dict[str, Any] = {"__name__": "jackfield_groq"}
    exec(next(block.text for block in PAGE.blocks if block.file_name == "jackfield_groq.py"), names)
    return names


def test_the_provider_takes_under_twenty_lines() -> None:
    """One more provider is one file of under 20 lines."""
    [text] = [block.text for block in PAGE.blocks if block.file_name == "jackfield_groq.py"]
    assert len(text.splitlines()) < 20


def test_the_provider_answers() -> None:
    """The page's component answers whole and streamed, and leaves out what it says the server refuses."""

    async def run() -> tuple[Result, Result, list[dict[str, Any]]]:
        async with FakeUpstream(chat) as upstream:
            settings = CompatibleSettings.model_validate({"key": "gsk-test-0123456789", "endpoint": upstream.endpoint})
            build = Build(name="llm", type_name="conversation.groq", settings=settings, environment={})
            groq = plugin()["Groq"](build)
            await groq.start()
            try:
                whole = await groq.converse(REQUEST)
                streamed = await collect(groq.stream(REQUEST))
            finally:
                await groq.close()
            return whole, streamed, [exchange.body for exchange in upstream.requests]

    whole, streamed, bodies = asyncio.run(run())
    assert whole.choices[0].text == streamed.choices[0].text == "You said: hello"
    for body in bodies:
        assert body["model"] == "openai/gpt-oss-20b"
        assert "top_k" not in body
        assert body["temperature"] == 0.5
    assert "top_k" in REQUEST.record.ignored


def test_the_table_names_every_member() -> None:
    """The table has every member of the dialect, and no other."""
    rows = re.findall(r"^\| (`.*?`) \|", PAGE.text, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(field.name for field in fields(Dialect))
