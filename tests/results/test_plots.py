"""Plots of columns: axes that can be read whatever the values, and lines that join what belongs together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import pytest

from lepton_ai.results.pages.artist import answered
from lepton_ai.results.pages.plots import Plot, PlotAxis

VERSION, ACCURACY = PlotAxis("Version", "number"), PlotAxis("accuracy", "number")


def drawing(rows: Sequence[Sequence[Any]], *, parted: bool = False) -> str:
    plot = Plot("line", VERSION, ACCURACY, None, rows, parted)
    return answered({"make": "plot", "plot": plot.to_dict()})["svg"]


def ticks(svg: str) -> tuple[list[str], list[str]]:
    """The labels of both axes."""
    words = [unescape(word) for word in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]
    between = words.index("Version")
    return words[:between], words[between + 1 : words.index("accuracy")]


@pytest.mark.parametrize("value", [0.73833, -0.0002, 0.0, 12345.678])
def test_equal_values_stand_on_an_axis_of_several_ticks(value: float) -> None:
    versions, values = ticks(drawing([[1, value], [2, value]]))

    numbers = [float(each.replace("−", "-").replace(",", "")) for each in values]
    assert versions == ["1", "2"]
    assert len(set(numbers)) == len(numbers) > 2
    assert min(numbers) <= value <= max(numbers)


@pytest.mark.parametrize("last", [1, 2, 3, 9, 40])
def test_versions_have_whole_ticks(last: int) -> None:
    versions, _ = ticks(drawing([[1, 0.1], [last, 0.2]]))

    assert all(each.isdecimal() for each in versions)
    assert len(set(versions)) == len(versions)


def test_a_line_joins_rows_of_one_part_and_lone_rows_are_points() -> None:
    rows = [[1, 0.7, "a"], [2, 0.8, "b"], [3, 0.7, "a"], [4, 0.9, "c"]]

    lines = re.findall(r'aria-roledescription="line mark"[^>]* d="([^"]*)"', drawing(rows, parted=True))
    assert sorted(line.count("L") for line in lines) == [0, 0, 1]
    assert drawing(rows, parted=True).count('aria-roledescription="point"') == 4
    joined = re.findall(r'aria-roledescription="line mark"[^>]* d="([^"]*)"', drawing([row[:2] for row in rows]))
    assert [line.count("L") for line in joined] == [3]
