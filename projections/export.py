"""Answers and the whole read model, written out for other tools."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import io
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import Refused, Unavailable
from .encoding import csv_lines, json_lines, json_objects, parquet
from .projector import Projection

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["arrow", "csv", "json", "jsonl", "parquet"]


def export(table: pa.Table, format: Format) -> bytes:
    """The bytes of a CSV file with a header, of a JSON array of objects or JSON lines (UTF-8), of Parquet or Arrow.

    JSON has times as RFC 3339 and non-finite numbers as "NaN", "Infinity", "-Infinity"; CSV has lists and structs as
    JSON. Raises `Refused` for another format.
    """
    schema, batches = table.schema, table.to_batches()
    match format:
        case "csv":
            return "".join(csv_lines(schema, batches)).encode()
        case "json":
            return f"[{''.join(json_objects(schema, batches))}]".encode()
        case "jsonl":
            return "".join(json_lines(schema, batches)).encode()
        case "parquet":
            return b"".join(parquet(schema, batches))
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


def _arrow(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
