"""Slices: what is planted is found, what is noise is not, and bad input is refused."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.diagnostics.slices import worst

GENERATOR = np.random.default_rng(3)
PURPOSE = GENERATOR.choice(["car", "house", "boat"], size=1500)
AGE = GENERATOR.normal(40, 10, size=1500)


def losses(bad: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(8).random(len(bad)) < 0.1 + 0.3 * bad).astype(float)


def test_a_level_that_does_worse_is_the_worst_slice() -> None:
    found = worst(losses(PURPOSE == "boat"), {"age": AGE, "purpose": PURPOSE})

    assert (found[0].condition, found[0].rows) == ("purpose = boat", int((PURPOSE == "boat").sum()))
    assert found[0].p < 0.01
    assert found[0].loss > 0.3 > 0.2 > found[0].others


def test_two_conditions_that_only_together_do_worse_are_found_in_pairs() -> None:
    bad = (PURPOSE == "boat") & (np.quantile(AGE, 0.75) < AGE)

    found = worst(losses(bad), {"age": AGE, "purpose": PURPOSE}, pairs=True)

    assert found[0].condition == f"age > {np.quantile(AGE, 0.75):.6g}, purpose = boat"


def test_rows_without_a_value_are_a_slice() -> None:
    generator = np.random.default_rng(12)
    missing = generator.random(1500) < 0.2
    found = worst(losses(missing), {"income": np.where(missing, np.nan, AGE)})

    assert (found[0].condition, found[0].p < 0.01) == ("income is missing", True)


def test_numbers_with_gaps_are_still_numbers() -> None:
    bad = np.quantile(AGE, 0.75) < AGE

    found = worst(losses(bad), {"age": [None if row % 50 == 0 else age for row, age in enumerate(AGE.tolist())]})

    assert found[0].condition.startswith("age > ")


def test_the_corrected_p_is_no_smaller_than_that_of_one_slice_alone() -> None:
    generator = np.random.default_rng(12)
    loss, noise = losses(np.zeros(1500, bool)), {f"c{n}": generator.integers(0, 9, 1500).astype(str) for n in range(9)}

    wide, narrow = worst(loss, noise), worst(loss, {"c3": noise["c3"]})

    alone = {each.condition: each.p for each in narrow}
    assert all(each.p >= alone[each.condition] - 0.05 for each in wide if each.condition in alone)


def test_slices_with_few_rows_or_all_of_them_are_not_looked_at() -> None:
    rare = np.array(["rare"] * 5 + ["usual"] * 95)

    assert worst(losses(rare == "rare"), {"kind": rare}) == []
    assert worst(np.zeros(100), {"kind": np.array(["a", "b"] * 50)}) == []


@pytest.mark.parametrize(
    ("loss", "columns", "advice"),
    [
        ([1.0, 0.0], {"a": ["x"]}, "give one a row"),
        ([1.0, float("nan")], {"a": ["x", "y"]}, "finite numbers"),
        ([1.0], {"a": ["x"]}, "at least two rows"),
    ],
    ids=["length", "nan", "one-row"],
)
def test_losses_that_cannot_be_searched_are_refused(loss: Any, columns: Any, advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        worst(loss, columns)


def test_rows_of_one_unit_count_together() -> None:
    """Columns that say nothing are found in most of these searches where rows are taken for independent."""
    found = Counter[bool]()
    for seed in range(60):
        generator = np.random.default_rng([seed, 8])
        patients = np.repeat(np.arange(40), 6)
        hard = generator.random(40) < 0.3
        loss = np.where(generator.random(240) < 0.8, hard[patients], generator.random(240) < 0.3).astype(float)
        columns = {
            "ward": generator.choice(list("abcd"), 40)[patients],
            "age": generator.normal(size=40)[patients],
            "day": generator.normal(size=240),
        }
        for units in (None, patients):
            slices = worst(loss, columns, units=units, seed=seed)
            found[units is not None] += bool(slices) and min(each.p for each in slices) <= 0.05

    assert found[False] > 30
    assert found[True] <= 9  # the 99.9 % bound of a rate of 5 % in 60 searches


def test_a_unit_of_one_row_each_finds_what_rows_do() -> None:
    generator = np.random.default_rng(5)
    kind = generator.choice(["a", "b", "c"], 600)
    loss = (generator.random(600) < np.where(kind == "b", 0.5, 0.2)).astype(float)

    rows, units = (worst(loss, {"kind": kind}, units=each) for each in (None, np.arange(600)))

    assert rows[0].condition == units[0].condition == "kind = b"
    assert rows[0].p < 0.01
    assert units[0].p < 0.01


def test_whole_numbers_are_written_without_a_point() -> None:
    generator = np.random.default_rng(6)
    level = generator.integers(0, 3, 300).astype(float)

    found = worst((level == 1).astype(float), {"level": level})

    assert found[0].condition == "level = 1"


def test_missing_values_are_told_whatever_says_that_they_are() -> None:
    losses = np.r_[np.ones(60), np.zeros(140)]
    values = [None] * 60 + [1] * 140
    kinds: list[Any] = [values, pd.Series(values, dtype="Int64"), torch.tensor([np.nan] * 60 + [1.0] * 140)]

    found = [worst(losses, {"a": each})[0] for each in [*kinds, kinds[-1].to(torch.bfloat16)]]

    assert {(each.condition, each.rows) for each in found} == {("a is missing", 60)}


def test_slices_of_many_columns_are_those_of_few_and_need_no_memory_of_their_own() -> None:
    generator = np.random.default_rng(3)
    losses = generator.random(4000)
    columns = {f"c{place}": generator.normal(size=4000) for place in range(100)}
    tracemalloc.start()
    found = worst(losses, columns)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 100e6, "deals are looked at where they are dealt"
    one = found[0]
    column, edge = columns[one.condition.split(" ")[0]], float(one.condition.split(" ")[-1])
    held = column > edge if ">" in one.condition else column <= edge
    assert one.loss == pytest.approx(losses[held].mean())
