"""Replies of providers as no provider should send them: each becomes events, or the documented upstream error."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

from damaged_streams import SIGNS, reevented, reframed, rewritten
from fed_providers import Provider, fed_providers
from hypothesis import strategies as st
from nasty import edited, mutated_json
from searching import Growth, Property

from jackfield import Result
from jackfield.errors import InvokeError, ProviderError
from jackfield.upstream.sse import LARGEST_EVENT, EventParser

__all__ = ["target"]


def _outcome(result: Result | InvokeError) -> str:
    if isinstance(result, Result):
        return "a reply"
    return re.sub(r"[^a-z' ].*", "", str(result).lower())[:60] or type(result).__name__


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def _properties(provider: Provider, run: Callable[[Any], Any]) -> Iterator[Property | Growth]:
    name = provider.spoken.type_name.removeprefix("conversation.")
    streams = tuple(b"".join(pieces) for pieces in provider.streams)
    places = st.lists(st.integers(0, 5000), max_size=8)

    def stream(example: tuple[bytes, list[int]]) -> str:
        return _outcome(run(provider.streamed(_cut(*example))))

    def same(example: tuple[tuple[bytes, bytes], list[int]]) -> str:
        (source, written), cut = example
        found = run(provider.streamed(_cut(written, cut)))
        assert found == provider.expected(source), found
        return "as the whole"

    def whole(body: bytes) -> str:
        return _outcome(run(provider.answered(body)))

    wholes = tuple(json.loads(one) for one in provider.wholes)
    same_streams = st.sampled_from(streams).map(lambda one: (one, one))
    other = reframed(provider.streams) if provider.spoken.framed else reevented(provider.streams)
    forms = same_streams if provider.spoken.framed else rewritten(streams)
    yield Property(f"{name}: a valid stream, cut and written anyhow", st.tuples(forms, places), same, 10, True, 5)
    yield Property(f"{name}: streams, edited", st.tuples(edited(streams, SIGNS), places), stream, 10, True, 8)
    yield Property(f"{name}: streams of other values", st.tuples(other, places), stream, 10, True, 10)
    bodies = mutated_json(wholes).map(lambda one: json.dumps(one).encode()) | edited(provider.wholes, SIGNS)
    yield Property(f"{name}: bodies, edited", bodies, whole, 10, True, 8)


def _parsed(data: bytes, size: int) -> list[bytes]:
    parser = EventParser()
    events: list[bytes] = []
    try:
        for start in range(0, len(data), size):
            events += parser.feed(data[start : start + size])
    except ProviderError:
        assert len(data) > LARGEST_EVENT
    return [*events, parser.rest()]


SHAPES: Mapping[str, Callable[[int], bytes]] = {
    "a line that never ends": lambda n: b"data: " + b"x" * n,
    "empty data lines": lambda n: b"data:\n" * (n // 6),
    "data lines of one event": lambda n: b"data: x\n" * (n // 8),
    "events": lambda n: b"data: x\n\n" * (n // 9),
    "comments": lambda n: b":\n" * (n // 2),
    "line ends": lambda n: b"\n" * n,
    "carriage returns": lambda n: b"\r" * n,
}


def _long(provider: Provider) -> Mapping[str, Callable[[int], list[bytes]]]:
    """Long replies in the provider's own form: its second event again and again."""
    _, second, *_ = provider.streams[0]
    call = provider.streams[1]
    middle = call[len(call) // 2]
    return {
        "pieces of text": lambda n: [*provider.streams[0][:2], *[second] * n, *provider.streams[0][2:]],
        "pieces of a call": lambda n: [*call[: len(call) // 2], *[middle] * n, *call[len(call) // 2 :]],
        "deep JSON": lambda n: [b"data: " + b'{"a":' * n + b"1" + b"}" * n + b"\n\n"],
    }


@contextmanager
def target() -> Iterator[list[Property | Growth]]:
    """Give the properties of every provider's reader."""
    with asyncio.Runner() as runner:
        opened = fed_providers()
        providers = runner.run(opened.__aenter__())
        try:
            found: list[Property | Growth] = []
            for provider in providers:
                found += _properties(provider, runner.run)
                if provider.spoken.type_name.endswith((".openai", ".anthropic", ".bedrock")):
                    name = provider.spoken.type_name.removeprefix("conversation.")
                    for shape, make in _long(provider).items():

                        def work(pieces: list[bytes], provider: Provider = provider) -> object:
                            return runner.run(provider.streamed([b"".join(pieces)]))

                        found.append(Growth(f"{name}, growing: {shape}", make, work, 1_000))
            for shape, line in SHAPES.items():
                for size in (65_536, 64):
                    work_on = f"events in pieces of {size:,}, growing: {shape}"
                    found.append(Growth(work_on, line, partial(_parsed, size=size), 1 << 20))
            yield found
        finally:
            runner.run(opened.__aexit__(None, None, None))
