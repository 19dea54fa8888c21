"""OpenAI's API in front of real providers: what passes through the whole host, there and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from jackfield import Choice, Result, TextPart
from jackfield.manifests.configuration import read_configuration
from jackfield.testing import ChatCompletions, Cut, Fail, FakeUpstream, RunningHost, Script, say

HI: ChatCompletionMessageParam = {"role": "user", "content": "hi"}
MAIL: ChatCompletionMessageParam = {"role": "user", "content": "I am ann@example.com"}


def manifest(name: str, kind: str, items: Mapping[str, Any]) -> str:
    """A component's manifest."""
    return json.dumps(
        {
            "apiVersion": "dapr.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": name},
            "spec": {
                "type": kind,
                "version": "v1",
                "metadata": [{"name": item, "value": value} for item, value in items.items()],
            },
        }
    )


class World:
    """A host with ``llm``, ``echo`` and ``either``, a router of both; ``llm``'s provider answers by ``script``."""

    def __init__(self, client: AsyncOpenAI, upstream: FakeUpstream, script: Script) -> None:
        self.client = client
        self.upstream = upstream
        self.script = script


@asynccontextmanager
async def world(folder: Path, items: Mapping[str, Any] | None = None) -> AsyncGenerator[World, None]:
    """Run it all; ``items`` are further ones of ``llm``'s manifest."""
    script = Script(ChatCompletions())
    async with FakeUpstream(script) as upstream:
        own = {"key": "sk-of-the-host", "model": "gpt-own", "endpoint": upstream.endpoint, **(items or {})}
        targets = [{"name": "llm"}, {"name": "echo"}]
        (folder / "llm.yaml").write_text(manifest("llm", "conversation.openai", own))
        (folder / "echo.yaml").write_text(manifest("echo", "conversation.echo", {}))
        router = {"strategy": "fallback", "targets": targets}
        (folder / "either.yaml").write_text(manifest("either", "conversation.router", router))
        host = RunningHost(folder)
        await asyncio.to_thread(host.__enter__)
        try:
            url = f"http://127.0.0.1:{host.port}/v1"
            async with AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
                yield World(client, upstream, script)
        finally:
            await asyncio.to_thread(host.__exit__, None, None, None)


@pytest.mark.parametrize("stream", [False, True])
def test_what_nobody_models_reaches_the_provider(tmp_path: Path, stream: bool) -> None:
    """It stands in the provider's request as it came, whole and streamed, through a router too."""

    async def main() -> None:
        async with world(tmp_path) as there:
            for model in ("llm", "either"):
                reply: Any = await there.client.chat.completions.create(
                    model=model, messages=[HI], stream=stream, reasoning_effort="low", logit_bias={"5": 1}, user="u"
                )
                if stream:
                    text = "".join([chunk.choices[0].delta.content or "" async for chunk in reply])
                else:
                    text = reply.choices[0].message.content
                assert text == "You said: hi"
                body = there.upstream.requests[-1].body
                assert (body["reasoning_effort"], body["logit_bias"], body["user"]) == ("low", {"5": 1}, "u")
                assert body["model"] == "gpt-own"
            assert there.script.refused == []

    asyncio.run(main())


def test_a_router_refuses_for_the_target_that_answers(tmp_path: Path) -> None:
    """A target that takes no such member says so, although the one before it would have taken it."""

    async def main() -> None:
        async with world(tmp_path) as there:
            there.script.replies.append(Fail(503))
            with pytest.raises(openai.BadRequestError, match="reasoning_effort"):
                await there.client.chat.completions.create(model="either", messages=[HI], reasoning_effort="low")

    asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_scrubbing_goes_both_ways(tmp_path: Path, stream: bool) -> None:
    """Neither messages nor other members reach the provider unmasked, and its reply comes back masked."""
    extra = {"scrub_pii": True, "prediction": {"type": "content", "content": "Dear ann@example.com"}}

    async def main() -> None:
        async with world(tmp_path) as there:
            there.script.replies.append(say("Write to bob@example.com today"))
            reply: Any = await there.client.chat.completions.create(
                model="llm", messages=[MAIL], stream=stream, extra_body=extra
            )
            if stream:
                text = "".join([chunk.choices[0].delta.content or "" async for chunk in reply])
            else:
                text = reply.choices[0].message.content
            assert "bob@example.com" not in text
            assert text.startswith("Write to <")
            assert b"example.com" not in there.upstream.requests[0].data
            assert "scrub_pii" not in there.upstream.requests[0].body

    asyncio.run(main())


def test_a_manifest_scrubs_every_member(tmp_path: Path) -> None:
    """What a manifest demands holds for requests that say nothing of it."""

    async def main() -> None:
        async with world(tmp_path, {"scrubPII": "input"}) as there:
            await there.client.chat.completions.create(model="llm", messages=[MAIL], user="ann@example.com")
            assert b"example.com" not in there.upstream.requests[0].data

    asyncio.run(main())


def test_the_provider_is_busy(tmp_path: Path) -> None:
    """The caller gets the provider's 429, its words and when to come again, and not the host's key."""

    async def main() -> None:
        async with world(tmp_path) as there:
            there.script.replies.append(Fail(429, "slow down, sk-of-the-host", retry_after=11))
            with pytest.raises(openai.RateLimitError, match="slow down") as raised:
                await there.client.chat.completions.create(model="llm", messages=[HI])
            assert raised.value.response.headers["retry-after"] == "11"
            assert "sk-of-the-host" not in str(raised.value)

    asyncio.run(main())


def test_a_stream_that_breaks(tmp_path: Path) -> None:
    """What has come stays, and then the client raises: a cut reply is never taken for a whole one."""

    async def main() -> None:
        async with world(tmp_path) as there:
            there.script.replies.append(Cut(Result((Choice((TextPart("The quick brown fox jumps"),)),))))
            text = ""
            with pytest.raises(openai.APIError, match="llm"):
                async for chunk in await there.client.chat.completions.create(model="llm", messages=[HI], stream=True):
                    text += chunk.choices[0].delta.content or ""
            assert text
            assert "The quick brown fox jumps".startswith(text)

    asyncio.run(main())


def test_several_choices(tmp_path: Path) -> None:
    """``n`` is the provider's; a stream tells its choices apart by their index."""

    async def main() -> None:
        async with world(tmp_path) as there:
            whole = await there.client.chat.completions.create(model="llm", messages=[HI], n=2)
            assert [choice.index for choice in whole.choices] == [0, 1]
            texts = {0: "", 1: ""}
            async for chunk in await there.client.chat.completions.create(model="llm", messages=[HI], n=2, stream=True):
                for choice in chunk.choices:
                    texts[choice.index] += choice.delta.content or ""
            assert set(texts.values()) == {"You said: hi"}

    asyncio.run(main())


def test_what_the_configuration_denies(tmp_path: Path) -> None:
    """Who switches conversation over HTTP off has it switched off here too."""
    file = tmp_path / "configuration.yml"
    rules = [{"name": "conversation", "version": version, "protocol": "http"} for version in ("v1alpha1", "v1alpha2")]
    head = {"apiVersion": "dapr.io/v1alpha1", "kind": "Configuration", "metadata": {"name": "c"}}
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "echo.yaml").write_text(manifest("echo", "conversation.echo", {}))
    body = {"model": "echo", "messages": [HI]}

    for denied, status in ((rules[:1], 200), (rules, 403)):
        file.write_text(json.dumps({**head, "spec": {"api": {"denied": denied}}}))
        configuration = read_configuration([file], environment={})
        with RunningHost(folder, options={"configuration": configuration}) as host:
            assert host.request("POST", "/v1/chat/completions", body).status == status
