"""An installed plugin replaces the cache, the scrubber and the router, for one component or for all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from built_plugin import install_built
from process import serving
from running import component, converse_on, get_on

HOUSE = '''
"""Policies of a house: each leaves a mark in the reply, by which one sees that it has worked."""

from msgspec.structs import replace

from jackfield import Choice, InvalidParameters, Result, ScrubStages, TextPart, hookimpl, unary


class Around:
    def __init__(self, handler, change_request=None, change_result=None):
        self.inner, self.inner_answer = handler, unary(handler)
        self.change_request, self.change_result = change_request, change_result

    async def __call__(self, request):
        yield await self.answer(replace(request, stream=False))

    async def answer(self, request):
        if self.change_request:
            request = self.change_request(request)
        result = await self.inner_answer(request)
        return self.change_result(result) if self.change_result else result


def mine(build):
    return build.name == "one" or build.environment.get("HOUSE") == "all"


def marked(mark):
    def change(result):
        text = result.choices[0].text + mark
        return Result(choices=(Choice(parts=(TextPart(text),)),))

    return lambda handler: Around(handler, change_result=change)


@hookimpl
def provide_cache(build):
    return marked(" [cache]") if mine(build) else None


@hookimpl
def provide_scrubber(build):
    if not mine(build):
        return None

    def scrub(request):
        messages = tuple(
            replace(m, parts=tuple(TextPart(p.text.replace("jane", "<X>")) for p in m.parts), scrubbed=("house",))
            for m in request.messages
        )
        return replace(request, messages=messages)

    return ScrubStages(lambda handler: Around(handler, change_request=scrub), marked(" [scrub-out]"))


@hookimpl
def provide_router(build):
    if not mine(build) or build.name == "aside":
        return None
    aside = build.target("aside")

    def stage(handler):
        here, there = unary(handler), unary(aside)

        class Route(Around):
            async def answer(self, request):
                if "aside" in request.messages[-1].text:
                    return await there(replace(request, component="aside"))
                return await here(request)

        return Route(handler)

    return stage


@hookimpl
def wrap_handler(build):
    if not mine(build):
        return None

    def refuse(request):
        if "forbidden" in request.messages[-1].text:
            raise InvalidParameters("the house forbids it")
        if "jane" in request.messages[-1].text:
            raise InvalidParameters("a wrap stage sees what is not scrubbed")
        return request

    return lambda handler: Around(handler, change_request=refuse)
'''


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_plugin_replaces_the_policies(tmp_path: Path, everywhere: bool) -> None:
    """Its stages work for the components it takes; the others have the host's own."""
    site = install_built(tmp_path / "build", "house", {"house.py": HOUSE}, {"house": "house"})
    folder = tmp_path / "manifests"
    folder.mkdir()
    manifests = [component(name, cacheTTL="1h") for name in ("one", "two", "aside")]
    (folder / "all.yaml").write_text("---\n".join(manifests))
    with serving(folder, PYTHONPATH=str(site), HOUSE="all" if everywhere else "") as host:

        def said(name: str, text: str, *, scrub: bool = False) -> str:
            reply = converse_on(host.port, name, text, scrub=scrub)
            assert reply.status == 200, reply.body
            text = json.loads(reply.body)["outputs"][0]["choices"][0]["message"]["content"]
            return str(text)

        assert said("one", "hello") == "hello [scrub-out] [cache]"
        assert said("one", "I am jane", scrub=True) == "I am <X> [scrub-out] [cache]"
        assert said("two", "hello") == ("hello [scrub-out] [cache]" if everywhere else "hello")
        assert converse_on(host.port, "one", "aside, please").headers["x-jackfield-component"] == "aside"
        assert converse_on(host.port, "one", "forbidden").status == 400
        assert converse_on(host.port, "two", "forbidden").status == (400 if everywhere else 200)
        listed = get_on(host.port, "/v1.0/metadata").json["jackfield"]["components"]
        stages = {entry["name"]: entry["stages"] for entry in listed}
        own = ["scrub-in house", "wrap house", "route house", "cache house", "scrub-out house"]
        assert stages["one"] == own
        assert stages["two"] == (
            own if everywhere else ["scrub-in builtin.scrub", "cache builtin.cache", "scrub-out builtin.scrub"]
        )
