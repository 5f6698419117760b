"""Answers and the whole read model, written out for other tools."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Refused, Unavailable
from ..escapes import escaped_json
from ..plain import in_json
from .projector import Projection

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["arrow", "csv", "json", "jsonl", "parquet"]


def export(table: pa.Table, format: Format) -> bytes:
    """The bytes of a CSV file with a header, of a JSON array of objects or JSON lines (UTF-8), of Parquet or Arrow.

    JSON has times as RFC 3339 and non-finite numbers as "NaN", "Infinity", "-Infinity"; CSV has lists and structs as
    JSON. Raises `Refused` for another format.
    """
    match format:
        case "csv":
            return _csv(table)
        case "json":
            rows = in_json(table.to_pylist(), _in_utc)
            return escaped_json(json.dumps(rows, ensure_ascii=False, default=str)).encode()
        case "jsonl":
            lines = (json.dumps(in_json(row, _in_utc), ensure_ascii=False, default=str) for row in table.to_pylist())
            return "".join(f"{escaped_json(line)}\n" for line in lines).encode()
        case "parquet":
            return _parquet(table)
        case "arrow":
            return _arrow(table)
        case _:
            raise Refused(f"{format!r} is no format of a table; say arrow, csv, json, jsonl or parquet")


def snapshot(projection: Projection, to: Path) -> None:
    """A copy of the read model's file, whole as of now, for any DuckDB to open. Raises `Refused` where `to` exists."""
    with projection.resting() as path:
        copied(path, to)


def copied(path: Path, to: Path) -> None:
    """Copy a file to where none is, whole or not at all. Raises as `snapshot` does."""
    part = to.with_name(f".lepton-{secrets.token_hex(16)}")
    try:
        if to.exists():
            raise Refused(f"{to.name} exists; name a file that does not")
        with part.open("xb") as file:
            try:
                with path.open("rb") as whole:
                    shutil.copyfileobj(whole, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
                os.link(part, to)
            finally:
                part.unlink()
    except FileExistsError as error:
        raise Refused(f"{to.name} exists; name a file that does not") from error
    except OSError as error:
        raise Unavailable(f"the snapshot {to.name} cannot be written: {error.strerror}; name another place") from error


def _csv(table: pa.Table) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow([_cell(in_json(value, _in_utc)) for value in row])
    return sink.getvalue().encode()


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue()


def _arrow(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict, bool)) else value


def _in_utc(value: Any) -> Any:
    in_zone = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if in_zone else value
