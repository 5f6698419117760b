"""The choice of one of several versions: the order by a figure, the smallest of equals, and who is beaten by nobody."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.model.choice import direction, front, ordered, smallest
from lepton_ai.domain.model.metric import Better
from lepton_ai.errors import Malformed, Refused

FIGURES = st.lists(st.tuples(*[st.integers(0, 3)] * 2), min_size=1, max_size=8)
BETTER: tuple[Better, Better] = ("higher", "lower")


def columns(figures: list[tuple[int, int]]) -> list[tuple[dict[int, float], Better]]:
    return [({n: float(row[place]) for n, row in enumerate(figures)}, BETTER[place]) for place in (0, 1)]


def beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] >= other[0] and one[1] <= other[1]


@given(FIGURES)
def test_the_front_are_those_that_nobody_beats(figures: list[tuple[int, int]]) -> None:
    expected = [n for n, own in enumerate(figures) if not any(beats(other, own) for other in figures)]

    assert front(columns(figures), range(len(figures))) == expected
    assert expected, "there is always one"


def test_versions_are_ordered_best_first_and_nan_last() -> None:
    assert ordered({1: 0.5, 2: math.nan, 3: 0.9, 4: 0.9}, "higher") == [3, 4, 1, 2]
    assert ordered({1: 0.5, 2: math.nan, 3: 0.9}, "lower") == [1, 3, 2]


def test_of_equals_the_smallest_then_the_oldest_is_taken() -> None:
    assert smallest([3, 2, 1], {1: 8.0, 2: 4.0, 3: 4.0}) == 2


def test_what_a_version_takes_is_better_the_less_it_is() -> None:
    assert [direction(name, {}) for name in ("size", "parameters", "latency_ms", "f1")] == [*["lower"] * 3, "higher"]
    assert direction("gain", {"gain": "higher"}) == "higher"
    with pytest.raises(Refused, match="nobody has said whether 'gain' is better higher or lower"):
        direction("gain", {})
    with pytest.raises(Malformed):
        direction("n", {})
