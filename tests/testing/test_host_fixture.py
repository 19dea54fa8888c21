"""The ``host`` fixture for app developers."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

import pytest

from jackfield import Usage
from jackfield.testing import CannedHost

pytest_plugins = ["jackfield.testing"]

WEATHER = {"function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}


def converse(host: CannedHost, text: str = "hello", **members: Any) -> Any:
    """Ask over alpha2, as an app does, and return the one output."""
    body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}], **members}
    reply = host.running.request("POST", "/v1.0-alpha2/conversation/llm/converse", body)
    assert reply.status == 200, reply.body
    return reply.json["outputs"][0]


def test_replies_come_in_their_order(host: CannedHost) -> None:
    """Each request gets the next reply; after the last one the model repeats what it is told."""
    host.reply("one", usage=Usage(3, 4, 7))
    host.reply("two", finish_reason="length")
    first, second, third = (converse(host, "three")["choices"][0] for _ in range(3))
    assert [one["message"]["content"] for one in (first, second, third)] == ["one", "two", "You said: three"]
    assert [one["finishReason"] for one in (first, second)] == ["stop", "length"]
    assert [request.messages[0].text for request in host.asked] == ["three"] * 3


def test_tools_are_called(host: CannedHost) -> None:
    """A tool call that the test says reaches the app."""
    host.call_tool("get_weather", {"city": "Bremen"})
    choice = converse(host, tools=[WEATHER])["choices"][0]
    (call,) = choice["message"]["toolCalls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("get_weather", {"city": "Bremen"})
    assert choice["finishReason"] == "tool_calls"
    assert host.asked[-1].tools[0].name == "get_weather"


def test_errors_are_told(host: CannedHost) -> None:
    """A provider's refusal reaches the app as the host tells it, and the next request is answered."""
    host.fail(429, "too many", retry_after=7)
    reply = host.running.converse("llm")
    assert reply.status >= 400
    assert "too many" in reply.json["message"]
    assert host.running.converse("llm").status == 200


def test_delays_are_kept(host: CannedHost) -> None:
    """A reply with a delay doesn't come before it."""
    host.reply("late", delay=0.2)
    begun = time.perf_counter()
    converse(host)
    assert time.perf_counter() - begun >= 0.2


def test_a_hang_lasts_until_the_app_leaves(host: CannedHost) -> None:
    """An app's own time limit can be tested: no reply comes, and the host ends in good time."""
    host.hang()
    connection = http.client.HTTPConnection("127.0.0.1", host.running.port, timeout=2)
    with pytest.raises(TimeoutError):
        connection.request("POST", "/v1.0-alpha1/conversation/llm/converse", '{"inputs": [{"content": "hello"}]}')
        connection.getresponse()
    connection.close()
    assert len(host.asked) == 1


def test_further_components_answer(host: CannedHost) -> None:
    """An app that uses two components finds both."""
    host.reply("from the other")
    host.add("other")
    assert host.running.converse("other").text == "from the other"
    assert [request.component for request in host.asked] == ["other"]


def test_the_address_is_an_address(host: CannedHost) -> None:
    """``url`` is what an SDK is given; the host listens on this machine and is ready."""
    assert host.url == f"http://127.0.0.1:{host.running.port}"
    assert host.running.request("GET", "/v1.0/healthz").status == 204


EARLIER: list[threading.Thread] = []


@pytest.mark.parametrize("turn", [1, 2])
def test_a_host_ends_with_its_test(host: CannedHost, turn: int) -> None:
    """The one that served an earlier test runs no more."""
    converse(host)
    assert not any(thread.is_alive() for thread in EARLIER)
    assert host.running._thread.is_alive(), turn
    EARLIER.append(host.running._thread)
