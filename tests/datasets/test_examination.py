"""Columns that no honest model learns from: warned of before they are learnt, and only they."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lepton_ai import DataWarning
from lepton_ai.datasets.examination import examine
from lepton_ai.errors import Malformed

CHANCE = np.random.default_rng(3)
LABELS = np.sort(CHANCE.integers(0, 2, 400))
HONEST = {
    "income": CHANCE.lognormal(8, 0.5, 400),
    "age": CHANCE.integers(18, 80, 400),
    "kind": CHANCE.choice(["car", "house"], 400),
    "debt": LABELS + CHANCE.normal(0, 0.7, 400),
}
IDENTIFIERS = {
    "id": [f"customer {n}" for n in range(400)],
    "number": CHANCE.permutation(400) * 7919 + 12345678,
}
LEAKS = {
    "score": LABELS + CHANCE.normal(0, 0.05, 400),
    "closed": np.where(LABELS == 1, "written off", "paid"),
    "row": np.arange(400) + 0.5,
    "reason": np.where(LABELS == 1, "late", None),
}


def said(data: Mapping[str, Any], labels: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        examine(pd.DataFrame(data), labels)
    assert all(issubclass(each.category, DataWarning) for each in caught)
    return [str(each.message) for each in caught]


def test_columns_of_measurements_are_not_warned_of() -> None:
    assert said(HONEST, LABELS) == []


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_a_column_with_another_value_in_every_row_is_warned_of(name: str) -> None:
    (sentence,) = said(HONEST | {name: IDENTIFIERS[name]}, LABELS)

    assert sentence.startswith(f"column {name!r} has another value in every row")


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("words", [False, True])
def test_a_column_that_tells_the_label_alone_is_warned_of(name: str, words: bool) -> None:
    (sentence,) = said(HONEST | {name: LEAKS[name]}, np.where(LABELS == 1, "bad", "good") if words else LABELS)

    assert sentence.startswith(f"column {name!r} alone predicts the label almost perfectly")
    assert "late" not in sentence


def test_a_quantity_is_told_by_its_ranks_and_many_classes_by_each() -> None:
    price, thirds = np.arange(400) ** 1.5 + 0.25, np.arange(400) % 3

    assert said({"cost": np.log(price + 1), "age": HONEST["age"]}, price)[0].startswith("column 'cost' alone")
    assert said({"code": 10 * thirds, "age": HONEST["age"]}, thirds)[0].startswith("column 'code' alone")
    assert said(HONEST, price) == []


def test_a_rare_class_alone_makes_no_column_a_leak() -> None:
    rare = np.zeros(400, int)
    rare[::50] = 1

    assert said({"age": HONEST["age"], "kind": HONEST["kind"]}, rare) == []


def test_a_class_of_one_row_is_warned_of_and_few_rows_say_nothing_of_columns() -> None:
    (sentence,) = said({"x": [1, 2], "c": ["a", "b"]}, [0, 1])

    assert "a class has a single row" in sentence


@pytest.mark.parametrize("name", ["", " ", "Unnamed: 0", "a\0b"])
def test_a_column_without_a_name_of_its_own_is_not_learnt(name: str) -> None:
    with pytest.raises(Malformed, match="column 1 of the data"):
        examine({name: [1, 2], "x": [1, 2]}, [0, 1])


def test_of_masks_a_column_tells_nothing() -> None:
    assert said(HONEST, np.ones((400, 2, 2))) == []
