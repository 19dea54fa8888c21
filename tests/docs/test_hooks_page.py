"""The page on hooks, compared with the specifications."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
from markdown import page
from pageworld import reader_of
from running import RunningHost

from jackfield.chain.handler import fold
from jackfield.events import Delta, Event, Finish, Result
from jackfield.hookspecs import Hooks, RegisterComponents, RegisterObservers, RegisterRoutes
from jackfield.messages import ConversationRequest, Message, Record, TextPart

HOOKS = page("docs/plugins/hooks.md")
WRITING = page("docs/plugins/writing.md")
SPECIFIED = {name: function for name, function in vars(Hooks).items() if not name.startswith("_")}


def plain(text: str) -> str:
    """Return a text in one line, with one kind of marks around code."""
    return " ".join(text.replace("``", "`").split())


def test_there_is_one_section_for_each_hook() -> None:
    """The page's sections and its list are the hooks, in the same order; one section tells of stages."""
    assert [name for name in HOOKS.headings[1:] if name != "Stages and handlers"] == list(SPECIFIED)
    assert [row[0] for row in HOOKS.table("Hooks") if row[0].startswith("[")] == [
        f"[`{name}`](#{name})" for name in SPECIFIED
    ]


@pytest.mark.parametrize("name", SPECIFIED)
def test_a_hook_s_section_says_what_its_specification_says(name: str) -> None:
    """Signature, purpose, and the four fields stand there in the specification's own words."""
    signature = inspect.signature(SPECIFIED[name])
    arguments = ", ".join(
        f"{key}: {parameter.annotation}" for key, parameter in signature.parameters.items() if key != "self"
    )
    section = HOOKS.section(name)
    assert f"`{name}({arguments}) -> {signature.return_annotation}`" in section
    summary, _, fields = (inspect.getdoc(SPECIFIED[name]) or "").partition("\n\n")
    assert plain(summary) in plain(section)
    listed = re.findall(r"^- (.+?)(?=^- |\n\n)", section, re.MULTILINE | re.DOTALL)
    specified = re.split(r"\n(?=[A-Z][a-z ]+: )", fields)
    assert [plain(text) for text in listed[: len(specified)]] == [plain(text) for text in specified]


@pytest.mark.parametrize(
    ("hook", "register"),
    [
        ("register_components", RegisterComponents),
        ("register_observers", RegisterObservers),
        ("register_routes", RegisterRoutes),
    ],
)
def test_the_methods_that_register_has_are_named(hook: str, register: type) -> None:
    """Every method of what a hook is handed is described with its arguments' names."""
    for name, method in vars(register).items():
        if name.startswith("_"):
            continue
        parts = [str(parameter.name) for parameter in list(inspect.signature(method).parameters.values())[1:]]
        described = re.search(rf"`{name}\(([^`]*)\)`", HOOKS.section(hook))
        assert described, name
        assert re.findall(r"\w+", re.sub(r"=\w+|\*, ", "", described[1])) == parts


def test_the_observer_of_the_page_is_told_of_a_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The example counts the tokens of a reply that the running host has given."""
    with reader_of(HOOKS, tmp_path) as world, world.serving({}) as host:
        with caplog.at_level(logging.INFO, "jackfield.tally"):
            assert host.converse("echo", "well hello there").status == 200
        host.stop()
        host.join()
    (told,) = [record for record in caplog.records if record.name == "jackfield.tally"]
    assert (vars(told)["component"], vars(told)["sum"]) == ("echo", 3)


def test_the_service_of_the_page_answers_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example answers on a port of its own while the host serves, and no longer."""
    with reader_of(HOOKS, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as held:
            address = held.getsockname()
        monkeypatch.setattr(importlib.import_module("jackfield_lines"), "PORT", address[1])
        with RunningHost(Path("manifests"), options={"plugins": ("lines", "echo")}, services=True) as host:
            assert host.request("GET", "/v1.0/healthz/outbound").status == 204
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(b"well hello there\n")
                assert connection.makefile().readline() == "well hello there\n"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=10)


def test_the_stage_of_the_page_that_sees_unscrubbed_text_does(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It stands before scrub-in and is listed so; the provider gets the text masked all the same."""
    with reader_of(HOOKS, tmp_path) as world, world.serving({}) as host:
        with caplog.at_level(logging.INFO, "jackfield.exposure"):
            assert host.converse("support", "ORD-123456").json["outputs"][0]["choices"][0]["message"] == {
                "content": "<ORDER>"
            }
        components = host.request("GET", "/v1.0/metadata").json["jackfield"]["components"]
    (stages,) = [entry["stages"] for entry in components if entry["name"] == "support"]
    assert stages == ["wrap exposure (sees unscrubbed)", "scrub-in orders", "wrap brevity", *stages[3:]]
    (told,) = [record for record in caplog.records if record.name == "jackfield.exposure"]
    assert vars(told)["messages"] == 1


@pytest.mark.parametrize("wanted", [True, False])
def test_the_scrub_stages_of_the_page_hold_a_stream(wanted: bool, tmp_path: Path) -> None:
    """An order number that is cut in two is masked where that is asked for, and every event passes where it isn't."""

    async def cut(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        for event in [*pieces, Finish("stop")] if request.stream else [whole]:
            yield event

    async def run() -> list[Event]:
        stages = importlib.import_module("jackfield_orders")
        chain = fold((stages.ScrubIn, stages.ScrubOut), cut)
        message = Message(role="user", parts=(TextPart("hello"),))
        request = ConversationRequest(component="x", messages=(message,), stream=True, scrub_reply=wanted)
        async with aclosing(chain(request)) as events:
            return [event async for event in events]

    pieces: list[Event] = [Delta(TextPart("see ORD-12")), Delta(TextPart("3456"))]
    whole: Event = Result.of_text("see ORD-123456")
    with reader_of(HOOKS, tmp_path):
        events = asyncio.run(run())
    assert events == [*([Delta(TextPart("see <ORDER>"))] if wanted else pieces), Finish("stop")]


def test_the_record_has_the_attributes_that_the_page_names() -> None:
    """An observer that reads what the page names finds it."""
    said = HOOKS.section("register_observers").partition("Among its attributes are ")[2].partition(".")[0]
    names = re.findall(r"`(\w+)`", said)
    assert names
    assert set(names) <= set(Record.__struct_fields__)


def test_every_field_of_a_request_is_described() -> None:
    """The table of a request's fields has all of them."""
    described = [name for row in WRITING.table("The request") for name in re.findall(r"`(\w+)`", row[0])]
    assert [name for name in described if name in ConversationRequest.__struct_fields__] == described
    assert sorted(described) == sorted(ConversationRequest.__struct_fields__)
