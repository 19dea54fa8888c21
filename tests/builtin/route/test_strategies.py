"""The host's own strategies: in which order the targets of a router are tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConversationRequest, Headers, RoutingStrategy, Target
from jackfield.builtin.route.strategies import Fallback, Sticky, Weighted

NAMES = ("a", "b", "c")
EVEN = tuple(Target(name) for name in NAMES)


def asking(context_id: str = "", **headers: str) -> ConversationRequest:
    """A request of a context, with headers."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return ConversationRequest(component="front", messages=(), context_id=context_id, headers=Headers(pairs))


def shares(strategy: RoutingStrategy, targets: tuple[Target, ...], requests: list[ConversationRequest]) -> list[float]:
    """How often each target is the first, as a part of all."""
    first = Counter(next(iter(strategy.order(request, targets))) for request in requests)
    return [first[target] / len(requests) for target in targets]


def test_fallback_keeps_the_manifests_order() -> None:
    """The first target is asked first, whatever the weights."""
    targets = (Target("a"), Target("b", 9.0), Target("c"))
    assert tuple(Fallback({}).order(asking("x"), targets)) == targets


def test_weighted_draws_by_weight_at_every_place() -> None:
    """The first is drawn by weight among all, and the second by weight among the rest; none is left out."""
    targets = (Target("a", 6.0), Target("b", 3.0), Target("c", 1.0))
    strategy = Weighted({})
    orders = [tuple(strategy.order(asking(), targets)) for _ in range(20_000)]
    assert {frozenset(order) for order in orders} == {frozenset(targets)}
    assert [sum(order[0] == target for order in orders) / 20_000 for target in targets] == pytest.approx(
        [0.6, 0.3, 0.1], abs=0.03
    )
    after_a = [order[1] for order in orders if order[0] == targets[0]]
    assert after_a.count(targets[1]) / len(after_a) == pytest.approx(0.75, abs=0.03)


def test_sticky_gives_a_context_the_same_order_on_every_host() -> None:
    """Two instances agree, for the order hangs on the key and the targets alone, not on the order of the manifest."""
    for number in range(50):
        request = asking(f"context-{number}")
        order = list(Sticky({}).order(request, EVEN))
        assert order == list(Sticky({}).order(request, EVEN[::-1]))
        assert set(order) == set(EVEN)


def test_sticky_shares_contexts_out_by_weight() -> None:
    """Over many contexts each target has its weight's share."""
    targets = (Target("a", 6.0), Target("b", 3.0), Target("c", 1.0))
    requests = [asking(f"context-{number}") for number in range(5_000)]
    assert shares(Sticky({}), targets, requests) == pytest.approx([0.6, 0.3, 0.1], abs=0.03)


def test_sticky_may_take_its_key_from_a_header() -> None:
    """One user's requests go together whatever their context."""
    strategy = Sticky({"header": "X-User"})
    orders = [tuple(strategy.order(asking(f"context-{number}", x_user="ann"), EVEN)) for number in range(50)]
    assert len(set(orders)) == 1


@pytest.mark.parametrize("options", [{}, {"header": "x-user"}])
def test_sticky_without_a_key_draws(options: Mapping[str, Any]) -> None:
    """A request without a context, or without the header, goes to any target by weight."""
    strategy = Sticky(options)
    drawn = shares(strategy, EVEN, [asking("context" if options else "")] * 5_000)
    assert drawn == pytest.approx([1 / 3] * 3, abs=0.05)


targets_strategy = st.lists(
    st.builds(
        Target,
        name=st.text("abcdef", min_size=1, max_size=4),
        weight=st.floats(0.001, 1000),
        model=st.sampled_from(["", "m"]),
    ),
    min_size=2,
    max_size=6,
    unique_by=lambda target: (target.name, target.model),
)


@settings(max_examples=200, deadline=None)
@given(targets=targets_strategy, key=st.text(min_size=1), data=st.data())
def test_a_target_that_goes_moves_nobody_elses_keys(targets: list[Target], key: str, data: st.DataObject) -> None:
    """For any key the others stay in their order: its own keys move to their next, and all other keys stay."""
    gone = data.draw(st.sampled_from(targets))
    strategy, request = Sticky({}), asking(key)
    before = [target for target in strategy.order(request, targets) if target != gone]
    assert before == list(strategy.order(request, [target for target in targets if target != gone]))


@settings(max_examples=100, deadline=None)
@given(targets=targets_strategy, key=st.text(min_size=1), factor=st.floats(1.0, 50.0))
def test_a_heavier_target_only_gains(targets: list[Target], key: str, factor: float) -> None:
    """With more weight a target never moves back for any key."""
    strategy, request, grown = Sticky({}), asking(key), targets[0]
    heavier = Target(grown.name, grown.weight * factor, grown.model)
    before = list(strategy.order(request, targets)).index(grown)
    assert list(strategy.order(request, [heavier, *targets[1:]])).index(heavier) <= before


@pytest.mark.parametrize(
    ("cls", "options", "text"),
    [
        (Fallback, {"x": 1}, "x is not known; this strategy has no options"),
        (Weighted, {"seed": 1, "y": 2}, "seed, y is not known; this strategy has no options"),
        (Sticky, {"heeder": "x"}, "heeder is not known; known are header"),
        (Sticky, {"header": ""}, "header must be the name of a request header, such as x-user"),
        (Sticky, {"header": "x user"}, "header must be the name of a request header, such as x-user"),
        (Sticky, {"header": 1}, "header must be the name of a request header, such as x-user"),
    ],
)
def test_a_wrong_option_is_told(cls: type[RoutingStrategy], options: Mapping[str, Any], text: str) -> None:
    """The error is what the manifest's problem says."""
    with pytest.raises(ValueError, match=r"^" + text.replace(".", r"\.") + "$"):
        cls(options)


def test_any_order_has_each_target_once() -> None:
    """Extreme weights and equal names of different models neither break the sorting nor lose a target."""
    targets = (Target("a", 1e-300), Target("a", 1e300, "big"), Target("b", 5e-324))
    for strategy in (Weighted({}), Sticky({})):
        for number in range(100):
            order = list(strategy.order(asking(str(number)), targets))
            assert len(order) == len(set(order)) == 3
            assert all(one is not other for one, other in pairwise(order))
