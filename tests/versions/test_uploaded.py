"""Uploaded rows: there for whoever sent them, for an hour, within bounds, and never by halves."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed, Refused, Unavailable, UnknownRevision
from lepton_ai.versions.data.uploaded import GRACE, RowsTooLarge, UploadedRows, UploadLimits, Uploads

CSV = b"age,city,born,y\n31,Ulm,2001-02-03,1\n,Bonn,1999-01-01,0\n"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "incoming" / "main" / "rows")


def sent(uploads: Uploads, raw: bytes, ending: str = ".csv", owner: str = "ada") -> UploadedRows:
    upload = uploads.begin(ending, owner)
    try:
        for start in range(0, len(raw), 7_000):
            upload.write(raw[start : start + 7_000])
        return upload.finished()
    finally:
        upload.drop()


def stream(table: pa.Table, compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=100)
    return sink.getvalue()


def left(uploads: Uploads) -> list[Path]:
    folder = uploads.place("", "").parent
    return [*folder.iterdir()] if folder.is_dir() else []


def test_what_was_sent_is_told_and_read_as_a_file_of_its_kind(uploads: Uploads) -> None:
    told = sent(uploads, CSV)

    assert (told.count, told.bytes) == (2, len(CSV))
    assert told.columns == (
        {"name": "age", "type": "number"},
        {"name": "city", "type": "text"},
        {"name": "born", "type": "text"},
        {"name": "y", "type": "number"},
    )
    assert uploads.show(told.rows, "ada") == told
    rows, labels = uploads.file(told.rows, "ada").labelled("y", {"age": "number", "city": "category"})
    assert rows.to_pydict() == {"age": [31, None], "city": ["Ulm", "Bonn"]}
    assert labels.to_pylist() == [1, 0]


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_an_arrow_stream_is_read_as_the_table_it_was_made_of(uploads: Uploads, compression: str | None) -> None:
    cities = pa.array(["Ulm", "Bonn"] * 150).dictionary_encode()
    table = pa.table({"n": np.arange(300.0), "city": cities, "y": np.arange(300) % 2})
    told = sent(uploads, stream(table, compression), ".arrows")

    assert told.count == 300
    rows, labels = uploads.file(told.rows, "ada").labelled("y", {})
    assert rows.equals(table.drop_columns(["y"]))
    assert labels.to_pylist() == table.column("y").to_pylist()


def test_rows_of_another_are_as_if_they_were_not_there(uploads: Uploads) -> None:
    me = "someone-of-ulm"  # no digest reads like it
    told = sent(uploads, CSV, owner=me)

    for name, owner in ((told.rows, "bob"), ("0" * 32, me), ("../" + told.rows, me), ("", me), ("", "")):
        with pytest.raises(UnknownRevision, match="no rows that you sent"):
            uploads.file(name, owner)
        with pytest.raises(UnknownRevision):
            uploads.drop(name, owner)
    assert uploads.show(told.rows, me) == told
    assert not any(told.rows in str(path) or me in path.name for path in left(uploads))


def test_rows_are_gone_after_an_hour_and_deleted_a_little_later(uploads: Uploads) -> None:
    told = sent(uploads, CSV)
    (place,) = left(uploads)

    def aged(seconds: float) -> None:
        then = time.time() - seconds
        for path in (place, *place.iterdir()):
            os.utime(path, (then, then))

    aged(uploads.limits.seconds + 1)
    with pytest.raises(UnknownRevision):
        uploads.show(told.rows, "ada")
    assert uploads.sweep()
    aged(uploads.limits.seconds + GRACE + 1)
    assert not uploads.sweep()
    assert left(uploads) == []


def test_rows_may_be_deleted_before_their_hour(uploads: Uploads) -> None:
    told = sent(uploads, CSV)
    uploads.drop(told.rows, "ada")

    assert left(uploads) == []
    with pytest.raises(UnknownRevision):
        uploads.show(told.rows, "ada")


def test_an_upload_that_is_cut_leaves_nothing(uploads: Uploads) -> None:
    upload = uploads.begin(".csv", "ada")
    upload.write(CSV[:20])
    upload.drop()

    assert left(uploads) == []


@pytest.mark.parametrize(
    ("ending", "raw"),
    [
        (".csv", b""),
        (".csv", b"a;b\n1;2\n"),
        (".csv", b"a,b\n1,2,3\n"),
        (".csv", b"a,b\n\xff\xfe,2\n"),
        (".csv", "a,b\n1,2\n".encode("utf-16")),
        (".parquet", b"PAR1 but not quite PAR1"),
        (".parquet", CSV),
        (".arrows", CSV),
        (".arrows", b"\xff\xff\xff\xff\x10\x00\x00\x00"),
        (".arrows", stream(pa.table({"n": np.arange(300.0)}))[:900]),
        (".arrow", stream(pa.table({"n": [1.0]}))),
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_refused_and_nothing_of_it_kept(uploads: Uploads, ending: str, raw: bytes) -> None:
    with pytest.raises(Malformed, match=r"rows\.") as refusal:
        sent(uploads, raw, ending)

    assert str(uploads.place("", "").parent) not in str(refusal.value)
    assert left(uploads) == []


def test_more_than_may_be_sent_is_refused_at_once(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "rows", UploadLimits(bytes=10_000))

    with pytest.raises(RowsTooLarge):
        uploads.begin(".csv", "ada", 10_001)
    with pytest.raises(RowsTooLarge):
        sent(uploads, CSV + b"1,2,3,4\n" * 10_000)
    assert left(uploads) == []


def test_a_few_bytes_that_unpack_to_many_are_refused(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "rows", UploadLimits(unpacked=1 << 20))
    table = pa.table({"n": np.zeros(1_000_000), "text": pa.array(["ulm"] * 1_000_000)})
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    for ending, raw in ((".arrows", stream(table, "zstd")), (".parquet", sink.getvalue())):
        with pytest.raises(RowsTooLarge, match="GB"):
            sent(uploads, raw, ending)
    assert left(uploads) == []


def test_neither_one_owner_nor_all_of_them_fill_the_disk(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "rows", UploadLimits(owner=2 << 20, total=3 << 20))
    first = sent(uploads, CSV)
    sent(uploads, CSV)

    with pytest.raises(Unavailable):
        sent(uploads, b"a\n" + b"1\n" * 1000)
    sent(uploads, CSV, owner="bob")
    with pytest.raises(Unavailable):
        sent(uploads, CSV, owner="eve")
    uploads.drop(first.rows, "ada")
    assert sent(uploads, CSV).count == 2


def test_uploaded_rows_that_are_named_leave_no_address(uploads: Uploads, tmp_path: Path) -> None:
    manager = ModelManager(tmp_path / "home")
    (tmp_path / "rows.csv").write_bytes(CSV)
    rows = uploads.file(sent(uploads, CSV).rows, "ada")
    types = {"born": "date"}
    by_path = manager.add_data("by-path", tmp_path / "rows.csv", "y", types=types)
    bare = manager.add_data("bare", rows, "y", types=types)
    kept = manager.add_data("kept", rows, "y", types=types, keep=True)

    assert by_path.source
    assert (bare.source, kept.source) == (None, None)
    assert by_path.digest == bare.digest == kept.digest
    assert by_path.columns == bare.columns == kept.columns
    assert manager.load_data("kept")[1].to_pylist() == [1, 0]
    with pytest.raises(Refused, match="not kept"):
        manager.load_data("bare")


def test_a_file_that_makes_its_library_abort_ends_no_server(uploads: Uploads) -> None:
    # asked for its columns, pyarrow 26 ends the process
    raw = (Path(__file__).parent / "aborting.parquet").read_bytes()
    for _ in range(2):
        with pytest.raises(Malformed):
            sent(uploads, raw, ".parquet")
    assert left(uploads) == []
    assert sent(uploads, CSV).count == 2


def test_what_a_server_that_was_killed_left_is_deleted_later(uploads: Uploads) -> None:
    part = uploads.new_part("0" * 32, "ada")
    (part / "rows.csv").write_bytes(CSV)
    assert uploads.sweep()
    then = time.time() - uploads.limits.seconds - GRACE - 1
    for path in (part / "rows.csv", part):
        os.utime(path, (then, then))

    assert not uploads.sweep()
    assert left(uploads) == []
