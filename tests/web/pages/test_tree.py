"""The tree beside a history: whatever the versions, lines are apart, main is first, and pages put together are one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.versions.overview import history
from lepton_ai.web.pages.tree.kept import KeptTrees, RecentTrees
from lepton_ai.web.pages.tree.lanes import MOST, Lanes, Lineage
from lepton_ai.web.pages.tree.rows import HIGH, TreeRow, row_behind, row_of

from ...examples import examples
from ..server import Served, served

BRANCHES = ("main", *(f"b{number}" for number in range(20)))


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Lineage, dict[str, int]]:
    """Versions of any branches from any parents, where heads may have been rolled back."""
    lineage = Lineage()
    for number in range(1, draw(st.integers(1, 24)) + 1):
        older = st.integers(1, number - 1)
        parents = draw(st.lists(older, max_size=3, unique=True)) if number > 1 else []
        lineage.add(draw(st.sampled_from(BRANCHES)), parents, 2 * number)
    heads = {each: draw(st.integers(1, len(lineage))) for each in set(lineage.branches[1:])}
    return lineage, heads


def laid(lineage: Lineage, heads: Mapping[str, int]) -> Lanes:
    return Lanes(lineage, range(1, len(lineage) + 1), heads)


@settings(max_examples=examples(60))
@given(pasts())
def test_lines_that_share_a_row_have_different_lanes(past: tuple[Lineage, dict[str, int]]) -> None:
    lanes = laid(*past)
    by_lane: dict[int, list[tuple[int, int]]] = {}
    for line, lane in zip(lanes.lines, lanes.lane, strict=True):
        by_lane.setdefault(lane, []).append((line.start, line.end))

    assert all(end < start for lines in by_lane.values() for (_, end), (start, _) in pairwise(sorted(lines)))


@settings(max_examples=examples(60))
@given(pasts())
def test_main_as_it_stands_and_nothing_else_has_the_first_lane(past: tuple[Lineage, dict[str, int]]) -> None:
    lineage, heads = past
    lanes, number = laid(lineage, heads), heads.get("main", 0)
    while number and lineage.branches[number] != "main":
        number = next(iter(lineage.parents[number]), 0)
    while number and lineage.branches[number] == "main":
        assert lanes.lane[lanes.line_of(number)] == 0
        number = next(iter(lineage.parents[number]), 0)

    firsts = [line for line, lane in zip(lanes.lines, lanes.lane, strict=True) if lane == 0]
    assert {lineage.branches[line.last] for line in firsts} <= {"main"}


@settings(max_examples=examples(60))
@given(pasts(), st.data())
def test_lines_lead_from_each_row_into_the_next_and_from_each_version_to_its_parents(
    past: tuple[Lineage, dict[str, int]], data: st.DataObject
) -> None:
    lineage, heads = past
    some = data.draw(st.one_of(st.none(), st.lists(st.integers(1, len(lineage)), min_size=1)))
    numbers = range(1, len(lineage) + 1) if some is None else lineage.ancestry(some)
    lanes = Lanes(lineage, numbers, heads)
    rows = [(number, row_of(lanes, number)) for number in reversed(numbers)]

    assert crossing(rows[0][1], 0) == crossing(rows[-1][1], HIGH) == set()
    for (number, row), (_, below) in pairwise(rows):
        between = crossing(row_behind(lanes, number - 1), 0)
        assert crossing(row, HIGH) == crossing(below, 0) == between
    for number, row in rows:
        ends = {x for x, y in points(row) if y == HIGH // 2}
        assert ends <= {14 * (row.node or 0) + 7}
        assert row.parent == next(iter(lineage.parents[number]), None)
        assert row.child is None or number in lineage.parents[row.child]


@settings(max_examples=examples(60))
@given(pasts())
def test_lines_that_are_not_drawn_are_counted(past: tuple[Lineage, dict[str, int]]) -> None:
    lanes = laid(*past)
    for number in lanes.numbers:
        over = [line for line, lane in zip(lanes.lines, lanes.lane, strict=True) if lane >= MOST]
        assert row_of(lanes, number).hidden == sum(line.start <= number <= line.end for line in over)
        assert row_behind(lanes, number).hidden == sum(line.start <= number < line.end for line in over)


def crossing(row: TreeRow, y: int) -> set[int]:
    """Where lines cross the upper or lower edge of a row."""
    return {x for x, height in points(row) if height == y}


def points(row: TreeRow) -> Iterator[tuple[int, int]]:
    """Both ends of each line of a row."""
    for _, path in row.lines:
        words = path.replace("M", "").replace("C", " ").replace("V", " V ").split()
        x, y = int(words[0]), int(words[1])
        yield x, y
        yield (x, int(words[3])) if words[2] == "V" else (int(words[-2]), int(words[-1]))


def test_a_branch_that_was_rolled_back_is_a_line_of_its_own_beside_the_new_one() -> None:
    lineage = Lineage()
    for number, (branch, parents) in enumerate(
        [("main", ()), ("main", (1,)), ("main", (2,)), ("main", (1,)), ("side", (4,)), ("main", (4, 5))], 1
    ):
        lineage.add(branch, parents, number)
    lanes = laid(lineage, {"main": 6, "side": 5})

    assert [lanes.lane[lanes.line_of(number)] for number in range(1, 7)] == [0, 1, 1, 0, 1, 0]
    assert [row_of(lanes, number).child for number in range(1, 7)] == [4, 3, None, 6, 6, None]


def test_the_lanes_of_a_range_are_as_large_as_the_range() -> None:
    lineage = Lineage()
    for number in range(1, 5_001):
        lineage.add("main", (number - 1,) if number > 1 else (), number)
    numbers = lineage.ancestry((5_000,), (4_997,))
    lanes = Lanes(lineage, numbers, {"main": 5_000} | {f"b{number}": 2 for number in range(50)})

    assert numbers == [4_998, 4_999, 5_000]
    assert lanes.size < 3_000 < laid(lineage, {"main": 5_000}).size
    assert [row_of(lanes, number).node for number in numbers] == [0, 0, 0]


def test_what_is_kept_of_trees_is_bounded_in_size_and_in_number() -> None:
    kept = RecentTrees[str](100, entries=3)
    for number in range(5):
        kept.put(number, str(number), 0)
    assert [kept.get(number) for number in range(5)] == [None, None, "2", "3", "4"]

    kept.put(2, "large", 90)
    kept.put(5, "more", 20)
    assert (len(kept), kept.size, kept.get(2), kept.get(5)) == (1, 20, None, "more")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("tree")) as server:
        yield server


def test_lanes_of_the_same_versions_are_laid_once(server: Served) -> None:
    trees = KeptTrees()
    for number in range(3):
        server.manager.save_version({"w": np.full(1, number, np.float32)}, name="line")
    model = server.service.home.workspace.model("line")

    def tree(**asked: Any) -> Lanes:
        return trees.tree(history.LogScope(model, **asked), lambda *_: iter(()))[1]

    assert tree() is tree()
    assert tree(tips=(3,)) is tree(tips=(3,)) is not tree(tips=(3,), without=(1,))
    assert len(trees.lanes) == 3


def test_windows_of_a_history_joined_are_the_history_drawn_at_once(server: Served) -> None:
    weights = {"w": np.zeros(2, np.float32)}
    for number in range(24):
        branch = "main" if number < 2 or number % 3 else f"b{number % 5}"
        if number and branch not in server.manager.branches("toy"):
            server.manager.branch(branch, f"toy@{max(1, number - 4)}")
        server.manager.save_version({**weights, "n": np.full(1, number, np.float32)}, name="toy", branch=branch)
        server.manager.alias("live", f"toy@{1 + number // 2}")
    with httpx.Client(base_url=server.url, headers={"Accept": "text/html"}) as http:
        for asked in ("", "rev=main&", "rev=20&", "rev=live&", "rev=5..23&"):
            whole = drawn(http.get(f"/m/toy/log?{asked}most=200").text)
            joined, place = list[str](), f"/m/toy/log?{asked}most=7"
            while place:
                page = http.get(place)
                joined += drawn(page.text)
                older = http.get(place.replace("/log?", "/log.json?")).json()["before"]
                place = f"/m/toy/log?{asked}most=7&before={older}" if older else ""
            assert joined == whole, asked
            assert len(whole) > 10


def drawn(page: str) -> list[Any]:
    """What is drawn beside each row of a page."""
    return [row.split("</svg>")[0].split(">", 1)[1] for row in page.split("<svg viewBox")[2:]]
