"""The fingerprint of rows: the same for the same rows, however they are held, read or parted; another for any other."""

from __future__ import annotations

import datetime
import gzip
import random
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, feather, parquet

from lepton_ai.datasets.columns import Column, Table
from lepton_ai.datasets.fingerprint import RowsHasher
from lepton_ai.datasets.read import labelled
from lepton_ai.datasets.tables import fingerprint, fingerprint_of_pieces, identity
from lepton_ai.errors import Malformed

from ..examples import examples

DAYS = [datetime.date(2020, 2, 29), None, datetime.date(1969, 12, 31)]
ROWS = pa.table(
    {"age": [41, None, 23], "job": ["clerk", "smith", None], "rent": [1.5, -0.0, 2.25], "since": DAYS, "bad": [0, 1, 0]}
)
DATA, LABELS = ROWS.drop_columns("bad"), ROWS["bad"]
OF_ROWS = "blake3:8e9b83ebea0d6549beb2d8a90e87483877e4a308a462322c5077f01a2a727a8e"
BEFORE = "blake3:cc7cfa14f8fa62de0cd7918af337dfaad7ec698f92ba4e1c210dc15b70798aaf"


def test_a_fingerprint_is_the_same_for_ever() -> None:
    told = fingerprint(DATA, LABELS)

    assert (told["digest"], told["v1"]) == (OF_ROWS, BEFORE)


def test_a_fingerprint_has_a_digest_a_column_and_the_labels_apart() -> None:
    told, others = fingerprint(DATA, LABELS), fingerprint(DATA.set_column(0, "age", [[41, None, 24]]), [1, 1, 0])
    bare = fingerprint(DATA)

    assert set(told) == {"digest", "version", "rows", "columns", "labels", "v1"}
    assert [(each["name"], each["type"]) for each in told["columns"]] == [
        ("age", "number"), ("job", "category"), ("rent", "number"), ("since", "date"),
    ]  # fmt: skip
    same = [one == other for one, other in zip(told["columns"], others["columns"], strict=True)]
    assert same == [False, True, True, True]
    assert told["labels"]["digest"] != others["labels"]["digest"]
    assert bare["columns"] == told["columns"]
    assert "labels" not in bare
    assert len({told["digest"], others["digest"], bare["digest"]}) == 3
    assert identity(DATA, LABELS) == {name: told[name] for name in ("digest", "version", "rows", "v1")}


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "csv.zst", "tsv", "parquet", "arrow", "feather"])
def test_a_file_has_the_fingerprint_of_its_rows_whatever_it_is_written_as(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}"
    match kind:
        case "parquet":
            parquet.write_table(ROWS, path, row_group_size=1)
        case "arrow" | "feather":
            feather.write_feather(ROWS, str(path), chunksize=2)
        case _:
            options = csv.WriteOptions(delimiter="\t" if kind == "tsv" else ",")
            with pa.output_stream(path, compression={"gz": "gzip", "zst": "zstd"}.get(kind[4:])) as file:
                csv.write_csv(ROWS, file, options)
    schema = {"age": "number", "job": "category", "rent": "number", "since": "date"}

    assert fingerprint(*labelled(str(path), "bad", schema=schema)) == fingerprint(DATA, LABELS)


def test_the_order_of_columns_does_not_matter_that_of_rows_does() -> None:
    names = DATA.column_names
    told = fingerprint(DATA, LABELS)

    assert fingerprint(DATA.select(names[::-1]), LABELS)["digest"] == told["digest"]
    backwards = ROWS.take([2, 1, 0])
    assert fingerprint(backwards.drop_columns("bad"), backwards["bad"])["digest"] != told["digest"]
    swapped = DATA.rename_columns(["rent", "job", "age", "since"])
    assert fingerprint(swapped, LABELS)["digest"] != told["digest"]


SAME = {
    "missing": ([1.0, None], [1.0, float("nan")]),
    "a NaN of another payload": (
        np.array([1.0, struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_BEEF))[0]]), [1.0, None],
    ),
    "a masked value": (np.ma.array([1.0, 7.0], mask=[False, True]), [1.0, None]),
    "zero of either sign": ([-0.0, 1.0], [0.0, 1.0]),
    "whole numbers and floats": ([1, 0], [1.0, 0.0]),
    "truth and numbers": ([True, False], [1, 0]),
    "narrow floats": (np.array([0.5, 2], np.float16), [0.5, 2.0]),
    "text and category": (pd.Categorical(["b", None], categories=["z", "b"]), ["b", None]),
    "text of another width": (pa.array(["b", None], pa.large_string()), pa.array(["b", None], pa.string_view())),
    "a day and its midnight": (pa.array([0, None], pa.date32()), pa.array([0, None], pa.timestamp("ns", "UTC"))),
    "a moment in another zone": (
        pa.array([86_400], pa.timestamp("s", "Asia/Shanghai")), pa.array([86_400_000], pa.timestamp("ms", "UTC")),
    ),
    "nothing known, of any type": ([None, None], np.full(2, np.nan)),
}  # fmt: skip
OTHER = {
    "missing and empty text": (["", "b"], [None, "b"]),
    "missing and zero": ([None, 1], [0, 1]),
    "a number and its text": ([1, 2], ["1", "2"]),
    "a day and its number": (pa.array([1, 2], pa.date32()), [1, 2]),
    "a day and an hour of it": (pa.array([0], pa.date32()), pa.array([3600], pa.timestamp("s"))),
    "letters that look alike": (["é", "b"], ["e\u0301", "b"]),
    "texts parted elsewhere": (["ab", "c"], ["a", "bc"]),
    "a missing text elsewhere": ([None, "a", "b"], ["a", None, "b"]),
    "one row more that is missing": ([1.0], [1.0, None]),
    "one microsecond": (pa.array([10**15], pa.timestamp("us")), pa.array([10**15 + 1], pa.timestamp("us"))),
}


@pytest.mark.parametrize("case", SAME)
def test_what_is_one_value_to_a_model_is_one_value_to_a_fingerprint(case: str) -> None:
    one, other = SAME[case]

    assert fingerprint({"a": one}) == fingerprint({"a": other})


@pytest.mark.parametrize("case", OTHER)
def test_what_is_another_value_is_another_fingerprint(case: str) -> None:
    one, other = OTHER[case]

    assert fingerprint({"a": one})["digest"] != fingerprint({"a": other})["digest"]


CELLS = {
    "n": st.one_of(st.none(), st.floats(allow_infinity=False), st.integers(-(2**53), 2**53)),
    "c": st.one_of(st.none(), st.text(max_size=4)),
    "d": st.one_of(st.none(), st.dates(datetime.date(1, 1, 2))),
    "y": st.sampled_from([0, 1]),
}
TYPES = {"n": pa.float64(), "c": pa.string(), "d": pa.date32(), "y": pa.int8()}


@settings(max_examples=examples(80), deadline=None)
@given(st.data())
def test_rows_in_pieces_have_the_fingerprint_of_the_whole(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 12))
    cells = {name: data.draw(st.lists(each, min_size=rows, max_size=rows)) for name, each in CELLS.items()}
    table = pa.table({name: pa.array(values, TYPES[name]) for name, values in cells.items()})
    cuts = sorted({0, rows, *data.draw(st.lists(st.integers(0, rows), max_size=4))})
    pieces = [table.slice(start, end - start) for start, end in pairwise(cuts)]
    order = data.draw(st.permutations(["n", "c", "d"]))
    whole = fingerprint(table.drop_columns("y"), table["y"])

    told = fingerprint_of_pieces((piece.select(order), piece["y"]) for piece in pieces)

    assert told["digest"] == whole["digest"]
    assert {name: told[name] for name in ("rows", "labels")} == {name: whole[name] for name in ("rows", "labels")}
    assert sorted(told["columns"], key=str) == sorted(whole["columns"], key=str)


def test_a_column_of_which_nothing_is_known_yet_takes_the_type_of_what_follows() -> None:
    columns = {"a": ["x", "y"], "b": pa.array([1, 2], pa.date32()), "c": [1, 2]}
    nothing = pa.table({name: pa.nulls(1) for name in columns})

    told = fingerprint_of_pieces([(nothing, None), (columns, None), (nothing, None)])

    whole = {"a": [None, "x", "y", None], "b": pa.array([None, 1, 2, None], pa.date32()), "c": [None, 1, 2, None]}
    assert told == {name: value for name, value in fingerprint(whole).items() if name != "v1"}
    assert (
        fingerprint_of_pieces([(nothing, None)] * 2)["digest"]
        == fingerprint(dict.fromkeys("abc", [None] * 2))["digest"]
    )


def test_more_rows_than_are_laid_out_at_once_are_hashed_alike() -> None:
    rng = random.Random(1)
    rows = (1 << 18) + 5
    texts = [rng.choice(["", "a", "ä", None]) for _ in range(rows)]
    whole = pa.table({"a": np.arange(rows), "b": texts})

    parts = [(whole.slice(0, 7), None), (whole.slice(7), None)]
    assert fingerprint_of_pieces(parts)["digest"] == fingerprint(whole)["digest"]


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([({"a": [1]}, None), ({"b": [1]}, None)], "do not have the same columns"),
        ([({"a": [1]}, [1]), ({"a": [1]}, None)], "do not have the same columns"),
        ([({"a": [1]}, None), ({"a": ["x"]}, None)], "column 'a' holds another type in one piece of the rows"),
        ([], "no rows or no columns"),
    ],
)
def test_pieces_that_do_not_belong_together_are_refused(
    pieces: list[tuple[dict[str, list[object]], object]], why: str
) -> None:
    with pytest.raises(Malformed, match=why):
        fingerprint_of_pieces(pieces)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.text(max_size=3), min_size=2, max_size=6), st.data())
def test_texts_in_another_row_are_another_fingerprint(texts: list[str], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(texts))

    same = fingerprint({"a": texts})["digest"] == fingerprint({"a": moved})["digest"]

    assert same == (texts == moved)


def test_levels_that_no_row_has_and_their_order_say_nothing() -> None:
    def hashed(column: Column) -> str:
        hasher = RowsHasher()
        hasher.update(Table((column,), 2))
        return hasher.fingerprint()["digest"]

    some = Column("a", "category", np.array([1, 0]), ("x", "y"))
    assert hashed(some) == hashed(Column("a", "category", np.array([2, 1]), ("unused", "x", "y")))


def test_a_compressed_file_is_the_file_that_it_was(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "bad": [0, 1]})
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))

    assert fingerprint(*labelled(str(tmp_path / "rows.csv.gz"), "bad")) == fingerprint(frame[["a", "b"]], frame["bad"])
