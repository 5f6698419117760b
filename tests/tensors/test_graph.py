"""The graph of deltas: the cheapest way there, and whether it may grow."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Damaged
from lepton_ai.tensors.graph import MAX_COST, MAX_DEPTH, Edge, Graph

from ..examples import examples

VERSIONS = st.sampled_from("abcdefg")
EDGES = st.lists(
    st.builds(Edge, VERSIONS, VERSIONS, st.uuids().map(str), st.integers(0, 20), st.booleans()), max_size=14
)


def edge(base: str, new: str, size: int, two_way: bool = True) -> Edge:
    return Edge(base, new, f"{base}{new}", size, two_way)


@settings(max_examples=examples(300), deadline=None)
@given(EDGES, st.dictionaries(VERSIONS, st.integers(0, 40), max_size=3), VERSIONS, st.sets(VERSIONS, max_size=2))
def test_no_path_is_cheaper_than_the_cheapest(
    edges: list[Edge], keyframes: dict[str, int], target: str, at_hand: set[str]
) -> None:
    costs: dict[str, float] = {**keyframes, **dict.fromkeys(at_hand, 0)}
    for _ in range(8):  # Bellman and Ford's way, which has nothing in common with the one under test
        for e in edges:
            costs[e.new] = min(costs.get(e.new, 1e9), costs.get(e.base, 1e9) + e.bytes)
            if e.two_way:
                costs[e.base] = min(costs.get(e.base, 1e9), costs.get(e.new, 1e9) + e.bytes)

    graph = Graph(keyframes, tuple(edges))
    if costs.get(target, 1e9) >= 1e9:
        with pytest.raises(Damaged, match=target):
            graph.cheapest(target, at_hand)
        return
    path = graph.cheapest(target, at_hand)
    here = path.start
    for step, direction in path.steps:
        assert here == (step.base if direction > 0 else step.new)
        assert direction > 0 or step.two_way
        here = step.new if direction > 0 else step.base
    assert here == target
    assert path.cost == costs[target]


def test_what_is_at_hand_is_the_best_start() -> None:
    graph = Graph({"a": 100}, (edge("a", "b", 60), edge("b", "c", 60)))

    assert graph.cheapest("b").start == "a"
    assert graph.cheapest("b", ("c",)) == ("c", ((graph.edges[1], -1),), 60)
    assert graph.cheapest("c", ("c",)) == ("c", (), 0)


def test_a_one_way_edge_is_never_walked_back() -> None:
    graph = Graph({"a": 100}, (edge("a", "pruned", 3, two_way=False),))

    assert graph.cheapest("pruned").steps == ((graph.edges[0], 1),)
    assert graph.cheapest("a", ("pruned",)).start == "a"


def chain(length: int, size: int) -> Graph:
    return Graph({"0": 100}, tuple(edge(str(i), str(i + 1), size) for i in range(length)))


def test_a_chain_grows_until_it_is_too_deep() -> None:
    assert chain(MAX_DEPTH - 1, 1).may_extend(str(MAX_DEPTH - 1))
    assert not chain(MAX_DEPTH, 1).may_extend(str(MAX_DEPTH))


def test_a_chain_grows_until_a_restore_would_cost_too_much() -> None:
    size = 70
    most = int((MAX_COST * 100 - 100) // size)

    assert chain(most - 1, size).may_extend(str(most - 1))
    assert not chain(most, size).may_extend(str(most))


def test_nothing_extends_what_cannot_be_restored() -> None:
    assert not Graph({}, (edge("a", "b", 1),)).may_extend("b")
    assert not Graph({"x": 1}, ()).may_extend("unknown")


def test_a_graph_of_thousands_of_versions_answers_at_once() -> None:
    edges = tuple(edge(str(i), str(i + 1), 10) for i in range(20_000) if i % 8)
    graph = Graph({str(i): 20 for i in range(0, 20_001, 8)} | {str(i + 1): 20 for i in range(0, 20_000, 8)}, edges)

    for target in range(0, 20_000, 37):
        assert len(graph.cheapest(str(target)).steps) <= 4
