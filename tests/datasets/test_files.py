"""Files of rows: each read as what it holds or as what a version learnt, or refused with the reason that is true."""

from __future__ import annotations

import bz2
import gzip
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from lepton_ai.datasets import delimited
from lepton_ai.datasets.read import checked, labelled, rows
from lepton_ai.datasets.selection import selection
from lepton_ai.datasets.tables import fingerprint
from lepton_ai.errors import Malformed, Refused


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def read(path: str, **asked: Any) -> dict[str, list[Any]]:
    """The columns of a file that are learnt from, and its labels `y`."""
    data, labels = labelled(path, "y", **asked)
    return data.to_pydict() | {"y": labels.to_pylist()}


CODES = "zip,n,y\n01234,1,0\n99999,NA,1\n"


def test_text_is_text_where_a_leading_zero_says_so_or_a_version_learnt_it(tmp_path: Path) -> None:
    zeros, digits = written(tmp_path / "a.csv", CODES), written(tmp_path / "b.csv", "zip,n,y\n1234,1,0\n99999,2,1\n")

    assert read(zeros)["zip"] == ["01234", "99999"]
    assert read(digits)["zip"] == [1234, 99999]
    assert read(digits, schema={"zip": "category", "n": "number"})["zip"] == ["1234", "99999"]
    assert read(zeros, schema={"zip": "number", "n": "number"})["zip"] == [1234, 99999]
    assert rows(digits, {"zip": "category", "n": "number"}).to_pydict() == {"zip": ["1234", "99999"], "n": [1, 2]}


def test_a_zero_alone_is_a_number(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b,c,y\n0 ,-0,0.5,0\n 1,2,00.5,1\n")

    assert read(path) == {"a": [0, 1], "b": [0, 2], "c": [0.5, 0.5], "y": [0, 1]}


def test_columns_that_a_version_did_not_learn_are_left_aside(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ",zip,n,y\n0,1,1,0\n1,2,2,1\n")

    assert read(path, schema={"zip": "category", "n": "number"}) == {"zip": ["1", "2"], "n": [1, 2], "y": [0, 1]}


def test_text_where_a_version_learnt_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="column 'n' holds values that are not a number"):
        read(written(tmp_path / "a.csv", "n,y\nErika,0\n2,1\n"), schema={"n": "number"})


def test_na_is_missing_among_numbers_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "country,n,y\nNA,NA,0\nn/a,n/a,0\n,,1\nDE,2,1\n")

    assert read(path) == {"country": ["NA", "n/a", None, "DE"], "n": [None, None, None, 2], "y": [0, 0, 1, 1]}


DATED = "id,day,y\n9007199254740993,2020-01-01,0\n9007199254740995,2020-01-03,1\n"


def test_dates_and_long_ids_are_not_guessed_but_taken_as_the_type_that_is_given(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", DATED)
    as_text = selection({"id": "text", "day": "text"})
    as_date = selection({"day": "date"}, drop=["id"])

    with pytest.raises(Malformed, match=r"column 'id' holds whole numbers beyond 2\*\*53"):
        read(path)
    with pytest.raises(Malformed, match="column 'day' holds dates"):
        read(path, chosen=selection(drop=["id"]))
    assert read(path, chosen=as_text) == {
        "id": ["9007199254740993", "9007199254740995"],
        "day": ["2020-01-01", "2020-01-03"],
        "y": [0, 1],
    }
    assert [day.day for day in read(path, chosen=as_date)["day"]] == [1, 3]
    assert read(path, chosen=selection(columns=["day"], types={"day": "text"})).keys() == {"day", "y"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"drop": ["idd"]}, "the data has no column 'idd'; did you mean 'id'?"),
        ({"columns": ["q"]}, "the data has no column 'q'; it has 'id', 'day', 'y'"),
        ({"drop": ["id", "day"]}, "no column is left to learn from"),
        ({"types": {"id": "number"}, "drop": ["day"]}, None),
        ({"types": {"id": "date"}, "drop": ["day"]}, "column 'id' holds values that are not a date"),
    ],
)
def test_what_is_selected_must_be_there(tmp_path: Path, asked: Mapping[str, Any], sentence: str | None) -> None:
    path = written(tmp_path / "a.csv", DATED)

    if sentence is None:
        assert read(path, chosen=selection(**asked))["id"] == [9007199254740993, 9007199254740995]
    else:
        with pytest.raises(Malformed) as refusal:
            read(path, chosen=selection(**asked))
        assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", ",n,y\n0,1,0\n1,2,1\n", "column 1 of the data has no name, as an index that pandas wrote has"),
        ("a.csv", "n,Unnamed: 0,y\n0,1,0\n1,2,1\n", "column 2 of the data is named 'Unnamed: 0', as an index"),
        ("a.csv", "n,y\nM\xfcller,0\n".encode("latin-1"), "its text is not UTF-8, but Latin-1 perhaps"),
        ("a.csv", "\xe4,y\n1,0\n".encode("latin-1"), "its text is not UTF-8"),
        ("a.csv", "n,y\n1,0\n".encode("utf-16"), "it has NUL bytes"),
        ("a.csv", "n,y\n1\0,0\n", "it has NUL bytes"),
        ("a.csv", "n;y\n1;0\n", "its columns are parted by semicolons"),
        ("a.csv", "n\ty\n1\t0\n", "its columns are parted by tabs"),
        ("a.csv", "", "it is empty"),
        ("a.csv", "n,y\n1,0\n1,2,3\n", "row 3 has 3 columns where 2 were expected"),
        ("a.csv", "n,y\n10000000000000000000000000,0\n1,1\n", "holds whole numbers beyond 2**53"),
        ("a.csv.gz", b"n,y\n1,0\n", "its compressed bytes are damaged or cut off"),
        ("a.csv.gz", gzip.compress(b"n,y\n" + b"1,0\n" * 99, mtime=0)[:-12], "damaged"),
        ("a.parquet.gz", b"", "is compressed once more"),
        ("a.parquet", b"PAR1PAR1", "cannot be read as parquet"),
    ],
)
def test_what_cannot_be_read_rightly_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(Malformed) as refusal:
        read(written(tmp_path / name, content))

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", b"t\tn\ty\nx,y\t1\t0\nz\t2\t1\n"),
        ("a.csv", b'\xef\xbb\xbft,n,y\r\n"x,y",1,0\r\nz,2,1'),
        ("a.csv.gz", gzip.compress(b'"t",n,y\n"x,y",1,0\nz,2,1\n', mtime=0)),
        ("a.tsv.bz2", bz2.compress(b"t\tn\ty\nx,y\t1\t0\nz\t2\t1\n")),
    ],
)
def test_text_is_read_whatever_parts_or_packs_it(tmp_path: Path, name: str, content: bytes) -> None:
    path = written(tmp_path / name, content)

    assert checked(path, "y").endswith(name)
    assert read(path) == {"t": ["x,y", "z"], "n": [1, 2], "y": [0, 1]}


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_newlines_in_quoted_values_stand_wherever_a_block_ends(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"x{line}{'y' * (place % 7)}{line}" for place in range(40)]
    path = written(tmp_path / "a.csv", f"t,y{line}" + "".join(f'"{text}",{n}{line}' for n, text in enumerate(texts)))

    for block in range(12, 90):
        monkeypatch.setattr(delimited, "BLOCKS", (block, 1 << 20))
        assert read(path) == {"t": texts, "y": list(range(40))}


def test_a_file_beyond_one_block_and_a_line_as_long_are_read(tmp_path: Path) -> None:
    long = "x" * (delimited.BLOCKS[0] + 9)
    path = written(tmp_path / "a.csv", 't,y\n"a\r\nb",0\n' + long + ",1\n" + '"c\nd",0\n')

    checked(path, "y")
    assert read(path) == {"t": ["a\r\nb", long, "c\nd"], "y": [0, 1, 0]}


def test_an_index_that_pandas_wrote_is_no_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "y": [0, 1, 0]}, index=[7, 5, 6])
    forms = {"nameless": frame, "named": frame.assign(customer=[30, 4, 5]).set_index("customer")}

    for form, stored in forms.items():
        stored.to_parquet(tmp_path / f"{form}.parquet")
        assert read(str(tmp_path / f"{form}.parquet")) == {"x": [1.5, 2.5, 3.5], "y": [0, 1, 0]}
    kept = read(str(tmp_path / "named.parquet"), chosen=selection(columns=["customer"]))
    learnt = read(str(tmp_path / "nameless.parquet"), schema={"x": "number", "__index_level_0__": "number"})

    assert kept["customer"] == [30, 4, 5]
    assert learnt["__index_level_0__"] == [7, 5, 6]


def test_a_flipped_bit_in_a_page_with_a_checksum_is_no_data(tmp_path: Path) -> None:
    path, table = tmp_path / "a.parquet", pa.table({"x": np.arange(99.0), "y": [0] * 99})
    parquet.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    raw = bytearray(path.read_bytes())
    raw[raw.index(np.float64(50).tobytes()) + 3] ^= 1

    with pytest.raises(Malformed, match="another checksum than was written"):
        read(written(path, bytes(raw)))


LIMITED = """
import resource, sys
from pyarrow import csv, parquet
from lepton_ai.datasets.read import labelled
from lepton_ai.datasets.tables import fingerprint
resource.setrlimit(resource.RLIMIT_DATA, (int(float(sys.argv[1])), resource.RLIM_INFINITY))
for path in sys.argv[2:]:
    try:
        fingerprint(*labelled(path, "y"))
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_too_little_memory_is_told_as_that(tmp_path: Path) -> None:
    many = pa.array(np.zeros(60_000_000, np.int8))
    parquet.write_table(pa.table({"x": many, "y": many}), tmp_path / "bomb.parquet")
    (tmp_path / "wide.csv.gz").write_bytes(
        gzip.compress(b"x,y\n" + b"a long text of a row,1\n" * 8_000_000, 1, mtime=0)
    )

    said = [
        subprocess.run(
            [sys.executable, "-c", LIMITED, "400000000", tmp_path / name], capture_output=True, text=True
        ).stdout
        for name in ("bomb.parquet", "wide.csv.gz")
    ]

    assert "bomb.parquet: the file holds 60,000,000 rows of 2 columns" in said[0]
    assert re.search(r"wide.csv.gz: the file unpacks to 0.\d GB and more, which take 0.\d GB", said[1])


def test_little_that_unpacks_to_more_than_there_is_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    """Each is below 2 MB, and would be gigabytes: compressed buffers and pages, texts that many rows share."""
    text = pa.array(["x" * 1_000_000])
    shared = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2000, np.int32)), text)
    growing = pa.array(["x" * (100_000 + n) for n in range(2500)])
    two = pa.table({"x": shared, "y": np.zeros(2000)})
    zeros = pa.table({"x": np.zeros(18_000_000), "y": np.zeros(18_000_000, np.int8)})
    for kind in ("zstd", "lz4"):
        feather.write_feather(zeros, str(tmp_path / f"{kind}.arrow"), compression=kind)
    feather.write_feather(two, str(tmp_path / "dictionary.arrow"), compression="zstd")
    parquet.write_table(two, tmp_path / "dictionary.parquet")
    parquet.write_table(two, tmp_path / "plain.parquet", store_schema=False)
    parquet.write_table(
        pa.table({"x": growing, "y": np.zeros(2500)}), tmp_path / "growing.parquet",
        use_dictionary=False, column_encoding={"x": "DELTA_BYTE_ARRAY", "y": "PLAIN"},
    )  # fmt: skip
    with gzip.open(tmp_path / "zeros.csv.gz", "wb", 1) as file:
        for _ in range(35):
            file.write(b"x,y\n" + b"0,1\n" * 1_000_000)

    paths = sorted(tmp_path.iterdir(), key=lambda path: (path.suffix == ".gz", path.name))
    said: list[str] = []
    for limit, some in (("4e8", paths[:-1]), ("1e9", paths[-1:])):
        words = [sys.executable, "-c", LIMITED, limit, *some]
        said += subprocess.run(words, capture_output=True, text=True).stdout.splitlines()

    assert max(path.stat().st_size for path in paths) < 2_000_000
    assert len(said) == len(paths) == 7
    for path, line in zip(paths, said, strict=True):
        why = "(the file|column 'x') (unpacks to|holds)"
        if path.stem == "growing":  # counted as it is read, or refused by the system, by what was read before it
            why = f"(takes more memory|{why})"
        assert re.match(rf"Refused (\S+{path.name}:? |){why} .* give fewer rows", line), line


def test_what_finds_room_is_read_from_every_packing(tmp_path: Path) -> None:
    table = pa.table({"a": ["é", None, "b", "é"], "n": [1.5, None, 2, 3], "y": [0, 1, 0, 1]})
    for kind in ("zstd", "lz4", "uncompressed"):
        feather.write_feather(table, str(tmp_path / f"{kind}.arrow"), compression=kind, chunksize=3)
    coded = table.set_column(0, "a", table["a"].dictionary_encode())
    feather.write_feather(coded, str(tmp_path / "dictionary.arrow"), compression="zstd")
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    parquet.write_table(table, tmp_path / "plain.parquet", use_dictionary=False)
    encodings = {"a": "DELTA_BYTE_ARRAY", "n": "PLAIN", "y": "PLAIN"}
    parquet.write_table(table, tmp_path / "growing.parquet", use_dictionary=False, column_encoding=encodings)

    for path in tmp_path.iterdir():
        assert read(str(path)) == table.to_pydict(), path.name
        data, labels = labelled(str(path), "y")
        assert fingerprint(data, labels) == fingerprint(table.drop_columns("y"), table["y"])


def test_an_arrow_file_whose_account_of_itself_is_damaged_is_read_or_refused(tmp_path: Path) -> None:
    whole = tmp_path / "a.arrow"
    feather.write_feather(pa.table({"x": np.arange(300.0), "y": np.zeros(300)}), str(whole), compression="lz4")
    content, rng = whole.read_bytes(), np.random.default_rng(3)
    for _ in range(150):
        damaged = bytearray(content)
        damaged[rng.integers(len(content) - 700, len(content))] ^= int(rng.integers(1, 256))
        path = written(tmp_path / "b.arrow", bytes(damaged))
        with suppress(Refused):
            labelled(path, "y")
