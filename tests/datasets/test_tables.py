"""Data to learn from: one meaning whatever holds it, a fingerprint without values, one sentence for what is wrong."""

from __future__ import annotations

import datetime
import decimal
import json

import ml_dtypes
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from lepton_ai.datasets.tables import fingerprint, read_labels, read_table
from lepton_ai.errors import DataWarning, Malformed

from ..examples import examples

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


MATRIX = [[1.0, None], [2.0, 0.5]]
MASKED = np.ma.array([[1.0, 9.0], [2.0, 0.5]], mask=[[False, True], [False, False]])
NUMBERS = np.array([[1.0, np.nan], [2.0, 0.5]])
ARRAYS = {
    "masked": MASKED,
    "rows that are masked": [*MASKED],
    "columns that are masked": {"0": MASKED[:, 0], "1": MASKED[:, 1]},
    "a masked value in a list": {"0": [1.0, 2.0], "1": [np.ma.masked, 0.5]},
    "another byte order": NUMBERS.astype(">f8"),
    "pandas of another byte order": pd.DataFrame(NUMBERS.astype(">f4")),
    "pandas that leaves out zeros": pd.DataFrame({str(n): pd.arrays.SparseArray(NUMBERS[:, n]) for n in (0, 1)}),
    "half": NUMBERS.astype(np.float16),
    "longer than double": NUMBERS.astype(np.longdouble),
    "bfloat16": NUMBERS.astype(ml_dtypes.bfloat16),
    "torch with a gradient": torch.tensor(NUMBERS, requires_grad=True),
    "torch's bfloat16": torch.tensor(NUMBERS).bfloat16(),
    "columns of torch": {str(n): torch.tensor(NUMBERS[:, n], requires_grad=True).bfloat16() for n in (0, 1)},
    "records": np.array([(1.0, np.nan), (2.0, 0.5)], [("0", ">f8"), ("1", "f4")]),
}


@pytest.mark.parametrize("form", ARRAYS)
def test_numbers_are_the_same_whatever_dtype_holds_them(form: str) -> None:
    assert fingerprint(ARRAYS[form]) == fingerprint(MATRIX)


def test_an_index_that_pandas_gave_to_arrow_is_no_column() -> None:
    frame = pd.DataFrame(COLUMNS, index=[7, 5, 9])

    assert fingerprint(pa.Table.from_pandas(frame)) == fingerprint(frame)
    assert fingerprint(pa.Table.from_pandas(frame.rename_axis("customer"))) == fingerprint(frame)


def test_dates_are_days_since_1970() -> None:
    days = [datetime.date(1970, 1, 2), None]
    moments = pd.DataFrame({"a": pd.to_datetime(["1970-01-02T12:00Z", None])})

    assert [column.values[0] for column in (read_table({"a": days}).columns[0], read_table(moments).columns[0])] == [
        1.0,
        1.5,
    ]
    assert read_table({"a": days}).schema == (("a", "date"),)
    assert fingerprint({"a": days}) == fingerprint(pd.DataFrame({"a": pd.to_datetime(pd.Series(days))}))
    with pytest.raises(Malformed, match="column 'a' holds dates where the model learnt numbers"):
        read_table({"a": days}).aligned([("a", "number")])


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(pd.Categorical(LABELS)),
        pa.array(LABELS).dictionary_encode(),
        np.ma.array(LABELS),
        torch.tensor(LABELS, dtype=torch.bfloat16),
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
    assert [(each["name"], each["type"]) for each in told["columns"]] == [
        ("age", "number"), ("job", "category"), ("rent", "number"), ("own", "number"),
    ]  # fmt: skip
    assert "clerk" not in json.dumps(told)


CELLS = st.one_of(st.none(), st.floats(allow_infinity=False, allow_nan=False, width=32), st.integers(-99, 99))
TEXTS = st.one_of(st.none(), st.text(max_size=3))


@settings(max_examples=examples(60), deadline=None)
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
        {"a": ["1", "2"], "b": ["x", "y"]},
        {"a": [2, 1], "b": ["y", "x"]},
        {"a": [1, 2]},
    ],
)
def test_names_types_and_rows_belong_to_the_fingerprint(changed: dict[str, list[object]]) -> None:
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
    with pytest.warns(DataWarning, match="column 'b' holds numbers where the model learnt text"):
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
    (np.zeros((2, 0, 2)), "column '0' holds arrays of shape (0, 2); give at least one number in each"),
    ({"a": [1, "x"]}, "column 'a' holds values that are not of one kind (int, str)"),
    ({"a": [2**60 + 1]}, "column 'a' holds integers beyond 2**53"),
    ({"a": [10**25, 1]}, "column 'a' holds integers beyond 2**53"),
    ({"a": [decimal.Decimal(10**25)]}, "column 'a' holds integers beyond 2**53"),
    ({"a": {1, 2}}, "column 'a' is a set; give a list"),
    ({"a": np.full((2, 2), np.nan)}, "column 'a' has arrays with gaps or infinities"),
    ({"a": np.array(1)}, "column 'a' is an ndarray; give a list"),
    ({"a": ["\ud800"]}, "column 'a' holds text that is no Unicode"),
    (pd.Series([1, 2]), "a Series is one column"),
    (csr_matrix([[1, 0]]), "a csr_matrix is sparse; give its .toarray()"),
    (torch.eye(2).to_sparse(), "the data is sparse_coo; give a plain tensor"),
    (torch.ones(2, 2, device="meta"), "the data has no values (device meta)"),
    (torch.ones(2, 2, dtype=torch.complex64), "column '0' holds complex64"),
    ({"a": [datetime.time(8, 30)]}, "column 'a' holds time64[us]; give numbers, booleans, dates or text"),
    (pd.DataFrame({"a": pd.to_timedelta([1])}), "column 'a' holds duration[ns]"),
    ({"a": [float("inf")]}, "column 'a' holds infinity"),
    ({"a": [[1], [2, 3]]}, "the arrays of column 'a' have 1 to 2 numbers; give one length"),
    ({"a": [["x"], ["y"]]}, "column 'a' holds list"),
    ({"a": "xyz"}, "column 'a' is a str; give a list"),
    ({"a": 5}, "column 'a' is an int; give a list"),
    ({"a": np.array([1 + 2j])}, "column 'a' holds complex128; give numbers, booleans, dates or text"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the data has two columns named 'a'; rename one"),
    ("rows", "a str holds no rows; give a 2-d array"),
    (None, "nothing (None) holds no rows"),
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
        (None, "column 'label' is nothing"),
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
