"""Data to learn from: one meaning whatever holds it, a fingerprint without values, one sentence for what is wrong."""

from __future__ import annotations

import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.datasets.tables import fingerprint, read_labels, read_table
from lepton_ai.errors import Malformed

COLUMNS = {
    "age": [41, None, 23],
    "job": ["clerk", "smith", None],
    "rent": [1.5, -0.0, 2.25],
    "own": [True, False, None],
}
LABELS = [0, 1, 0]

FORMS = {
    "mapping": COLUMNS,
    "pandas": pd.DataFrame(COLUMNS),
    "pandas with another index": pd.DataFrame(COLUMNS, index=[7, 8, 9]),
    "pandas categorical": pd.DataFrame(COLUMNS).astype({"job": "category"}),
    "pandas of objects": pd.DataFrame(COLUMNS, dtype=object),
    "arrow": pa.table(COLUMNS),
    "arrow dictionary": pa.table(COLUMNS | {"job": pa.array(COLUMNS["job"]).dictionary_encode()}),
    "arrow in chunks": pa.concat_tables([pa.table(COLUMNS).slice(0, 1), pa.table(COLUMNS).slice(1)]),
    "arrow batch": pa.table(COLUMNS).to_batches()[0],
    "arrays": {name: np.array(values, dtype=object) for name, values in COLUMNS.items()},
    "float arrays": COLUMNS | {"age": np.array([41, np.nan, 23], np.float32)},
    "decimals": COLUMNS | {"rent": [decimal.Decimal("1.5"), decimal.Decimal(0), decimal.Decimal("2.25")]},
    "other levels": COLUMNS | {"job": pd.Categorical(COLUMNS["job"], categories=["zoo", "smith", "clerk"])},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_content_has_the_same_fingerprint_whatever_holds_it(form: str) -> None:
    assert fingerprint(FORMS[form], LABELS) == fingerprint(COLUMNS, LABELS)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(LABELS),
        np.array(LABELS, bool),
        np.array(LABELS)[:, None],
        pd.Series(LABELS, index=[5, 6, 7]),
        pd.DataFrame({"y": LABELS}),
        pa.array(LABELS),
        pa.chunked_array([[0], [1, 0]]),
        torch.tensor(LABELS),
        {"y": LABELS},
    ],
)
def test_labels_too_are_the_same_whatever_holds_them(labels: object) -> None:
    assert fingerprint(COLUMNS, labels) == fingerprint(COLUMNS, LABELS)


def test_an_array_is_a_table_whose_columns_are_numbered() -> None:
    rows = [[1.0, 2.0], [3.0, float("nan")]]

    forms = [
        fingerprint(form)
        for form in (np.array(rows), rows, pd.DataFrame(rows), torch.tensor(rows), {"0": [1, 3], "1": [2, None]})
    ]

    assert all(form == forms[0] for form in forms)
    assert [column["name"] for column in forms[0]["columns"]] == ["0", "1"]


def test_a_fingerprint_tells_names_types_and_counts_and_no_value() -> None:
    told = fingerprint(COLUMNS, LABELS)

    assert told["rows"] == 3
    assert told["columns"] == [
        {"name": "age", "type": "number"},
        {"name": "job", "type": "category"},
        {"name": "rent", "type": "number"},
        {"name": "own", "type": "number"},
    ]
    assert set(told) == {"digest", "rows", "columns"}
    assert "clerk" not in json.dumps(told)


CELLS = st.one_of(st.none(), st.floats(allow_infinity=False, allow_nan=False, width=32), st.integers(-99, 99))
TEXTS = st.one_of(st.none(), st.text(max_size=3))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_changed_cell_changes_the_fingerprint(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 6))
    table = {
        "n": data.draw(st.lists(CELLS, min_size=rows, max_size=rows)),
        "c": [*data.draw(st.lists(TEXTS, min_size=rows - 1, max_size=rows - 1)), "text"],
    }
    name, place = data.draw(st.sampled_from("nc")), data.draw(st.integers(0, rows - 1))
    cell = data.draw((CELLS if name == "n" else TEXTS).filter(lambda value: value != table[name][place]))
    changed = table | {name: [*table[name][:place], cell, *table[name][place + 1 :]]}
    if name == "c" and not any(value is not None for value in changed["c"]):
        changed["c"] = pa.array(changed["c"], pa.string())  # all missing, it would be a column of numbers

    assert fingerprint(pd.DataFrame(table)) == fingerprint(table)
    assert fingerprint(changed) != fingerprint(table)


@pytest.mark.parametrize(
    "changed",
    [
        {"a": [1, 2], "c": ["x", "y"]},
        {"b": ["x", "y"], "a": [1, 2]},
        {"a": ["1", "2"], "b": ["x", "y"]},
        {"a": [2, 1], "b": ["y", "x"]},
        {"a": [1, 2]},
    ],
)
def test_names_order_types_and_rows_belong_to_the_fingerprint(changed: dict[str, list[object]]) -> None:
    assert fingerprint(changed)["digest"] != fingerprint({"a": [1, 2], "b": ["x", "y"]})["digest"]


def test_missing_is_missing_and_an_empty_text_is_not() -> None:
    assert fingerprint({"a": [1, None]}) == fingerprint({"a": [1, float("nan")]})
    assert fingerprint({"a": ["", "x"]}) != fingerprint({"a": [None, "x"]})
    assert read_table({"a": ["x", None]}).columns[0].missing.tolist() == [False, True]


def test_levels_written_as_whole_numbers_or_floats_are_the_same() -> None:
    whole, floating = (read_table({"a": pd.Categorical(values)}) for values in ([1, 2], [1.0, 2.0]))

    assert whole.columns[0].hashes().tolist() == floating.columns[0].hashes().tolist()
    assert fingerprint(whole) == fingerprint({"a": ["1", "2"]})


def test_columns_are_put_in_the_order_and_kinds_that_were_learnt() -> None:
    table = read_table({"b": [1, 2], "a": [None, None]}).aligned([("a", "category"), ("b", "category")])

    assert [(column.name, column.kind) for column in table.columns] == [("a", "category"), ("b", "category")]
    assert table.columns[0].missing.all()
    assert table.columns[1].levels == ("1", "2")


BAD = [
    ({"a": [1], "b": [1, 2]}, "column 'a' has 1 rows and 'b' 2; give columns of one length"),
    ({}, "the data has no rows or no columns; give at least one of each"),
    ({"a": []}, "the data has no rows or no columns"),
    (np.zeros((0, 3)), "the data has no rows or no columns"),
    (np.zeros(3), "the data has 1 dimensions"),
    ([[1, 2], [3]], "the data has 1 dimensions"),
    (np.zeros((2, 2, 2)), "the data has 3 dimensions"),
    ({"a": [1, "x"]}, "column 'a' holds values that are not of one kind (int, str)"),
    ({"a": [2**60 + 1]}, "column 'a' holds integers beyond 2**53"),
    ({"a": [datetime.date(2020, 1, 1)]}, "column 'a' holds date32[day]; give numbers, booleans or text"),
    (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"])}), "column 'a' holds timestamp"),
    ({"a": [float("inf")]}, "column 'a' holds infinity"),
    ({"a": [[1], [2]]}, "column 'a' holds list"),
    ({"a": "xyz"}, "column 'a' is a str; give a list"),
    ({"a": 5}, "column 'a' is a int; give a list"),
    ({"a": np.array([1 + 2j])}, "column 'a' holds values that are not of one kind (complex128)"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the data has two columns named 'a'; rename one"),
    ("rows", "a str holds no rows; give a 2-d array"),
    (None, "a NoneType holds no rows"),
]


@pytest.mark.parametrize(("data", "sentence"), BAD)
def test_bad_data_is_refused_in_one_sentence(data: object, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read_table(data)

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1], "there are 2 labels for 3 rows"),
        ([0, None, 1], "1 labels are missing"),
        (np.zeros((3, 2)), "the labels have 2 columns"),
        ([0, "x", 1], "column 'label' holds values that are not of one kind"),
        (None, "column 'label' is a NoneType"),
    ],
)
def test_bad_labels_are_refused_in_one_sentence(labels: object, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read_labels(labels, 3)

    assert sentence in str(refusal.value)


def test_a_refusal_quotes_no_value_of_a_mixed_column() -> None:
    with pytest.raises(Malformed) as refusal:
        read_table({"a": [1, "Erika Mustermann"]})

    assert "Erika" not in str(refusal.value)
    assert refusal.value.__suppress_context__
