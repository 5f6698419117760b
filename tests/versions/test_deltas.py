"""A model's deltas: what is looked at of them is as good as all, and no more than a few."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.domain.commands import Delta
from lepton_ai.domain.model.state import ModelState
from lepton_ai.errors import Damaged
from lepton_ai.tensors.graph import MAX_DEPTH, Edge, Graph
from lepton_ai.versions.deltas import ModelDeltas, graph_of

from ..domain.past import Past, digest, saving
from ..examples import examples


def kept(past: Past, base: int, size: int, two_way: bool) -> None:
    """Keep a version as a delta from another."""
    number = past.credit.next_number
    delta = Delta(digest(f"Δ{number}"), size, 1, 1, two_way)
    past.ask(saving(number, base, branch=f"b{number}", keyframe=False, delta=delta))


def kept_whole(past: Past, size: int) -> None:
    number = past.credit.next_number
    parents = (1,) if number > 1 else ()
    past.ask(saving(number, *parents, branch=f"b{number}" if parents else "main", bytes=size))


def whole(model: ModelState) -> Graph:
    """Every delta that there is."""
    tensors = {number: version.event.tensors for number, version in model.versions.items()}
    return Graph(
        {version.event.tensors: version.event.bytes for version in model.versions.values() if version.event.keyframe},
        tuple(
            Edge(tensors[delta.from_version], tensors[delta.to_version], delta.digest, delta.bytes, delta.two_way)
            for delta in model.deltas.values()
        ),
    )


def route(graph: Graph, target: str, *at_hand: str) -> Any:
    try:
        return graph.cheapest(target, at_hand)
    except Damaged:
        return None


sizes = st.integers(1, 200)
saves = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), sizes, st.booleans()), max_size=14)


@settings(max_examples=examples(60), deadline=None)
@given(saves, st.data())
def test_what_lies_around_a_version_leads_to_it_as_cheaply_as_all_deltas_do(
    sequence: list[tuple[int, int, int, bool]], data: st.DataObject
) -> None:
    past = Past()
    kept_whole(past, 100)
    for whether, back, size, two_way in sequence:
        if whether == 0:
            kept_whole(past, size)
        else:
            kept(past, max(1, past.credit.next_number - 1 - back), size, two_way)
    model = past.credit
    one, other = (model.version(data.draw(st.sampled_from(sorted(model.versions)))).event.tensors for _ in range(2))
    everything = whole(model)

    assert route(graph_of(model, one), one) == route(everything, one)
    assert route(graph_of(model, one, other), one, other) == route(everything, one, other)
    alone, near = Graph({}, everything.edges), Graph({}, graph_of(model, one, other).edges)
    assert route(near, one, other) == route(alone, one, other)
    assert ModelDeltas(model).around(one).may_extend(one) == everything.may_extend(one)


def test_only_the_chain_of_a_version_is_looked_at_of_a_thousand() -> None:
    past = Past()
    kept_whole(past, 100)
    for n in range(600):
        if n % MAX_DEPTH == 0:
            kept_whole(past, 100)
        else:
            kept(past, past.credit.next_number - 1, 5, True)
    for _ in range(400):
        kept(past, 1, 5, True)  # a base that many came from

    model = past.credit
    seen = [graph_of(model, version.event.tensors) for version in model.versions.values()]

    assert max(len(graph.edges) for graph in seen) < MAX_DEPTH
    assert graph_of(model, "sha256:unknown") == Graph({}, ())
