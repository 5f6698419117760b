"""Rows as bytes, piece by piece: JSON, CSV, Arrow's stream, Parquet. The command line and the API write by this."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ..errors import Malformed
from ..escapes import escaped_json
from ..plain import in_json

if TYPE_CHECKING:
    import pyarrow as pa

PIECE: Final = 1_000
"""Rows that are written as JSON or CSV at a time."""
_GROUP: Final = 16 << 20
"""Bytes of Arrow that a row group of Parquet is made of, about."""


def json_objects(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    """The rows as JSON objects with a comma between them; times as RFC 3339, non-finite numbers as their names.

    Raises `Malformed`, before the first row, where two columns have one name.
    """
    check_names(schema)
    between = ""
    for batch in _pieces(batches):
        lines = [_json(row) for row in _rows(batch)]
        yield between + ", ".join(lines)
        between = ", "


def json_lines(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    """The rows as JSON objects, a line each. Raises as `json_objects`."""
    check_names(schema)
    for batch in _pieces(batches):
        yield "".join(f"{_json(row)}\n" for row in _rows(batch))


def csv_lines(schema: pa.Schema, batches: Iterable[pa.RecordBatch], end: str = "\n") -> Iterator[str]:
    """A header and the rows, with lists and structs as JSON; RFC 4180 with `end` CRLF."""
    yield _csv([schema.names], end)
    for batch in _pieces(batches):
        yield _csv(([_cell(value) for value in row] for row in json_values([batch])), end)


def json_values(batches: Iterable[pa.RecordBatch]) -> Iterator[list[Any]]:
    """The values of each row as JSON has them."""
    for batch in _pieces(batches):
        for row in _values(batch):
            yield [in_json(value, _in_utc) for value in row]


def arrow_stream(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The rows in Arrow's IPC stream format."""
    import pyarrow as pa

    sink = _Drained()
    with pa.ipc.new_stream(sink, schema) as writer:
        yield sink.drained()
        for batch in batches:
            writer.write_batch(batch)
            yield sink.drained()
    yield sink.drained()


def parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The rows as a Parquet file, a row group at a time. Raises `Malformed` for a type that it has no column for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Drained()
    try:
        with pq.ParquetWriter(sink, schema) as writer:
            for group in _groups(batches):
                writer.write_table(pa.Table.from_batches(group, schema))
                yield sink.drained()
    except pa.ArrowException as error:
        first = str(error).partition("\n")[0]
        raise Malformed(f"Parquet cannot hold a column of the answer ({first}); cast it to text") from error
    yield sink.drained()


def check_names(schema: pa.Schema) -> None:
    """Raise `Malformed` where two columns have one name: an object holds one of them."""
    twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
    if twice is not None:
        raise Malformed(f"two columns are called {twice[:80]!r}, and JSON holds one of them; name them apart with AS")


class _Drained(io.RawIOBase):
    """A file that gives up what was written to it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        content = bytes(part)
        self._parts.append(content)
        self._size += len(content)
        return len(content)

    def tell(self) -> int:
        return self._size

    def drained(self) -> bytes:
        """What was written since it was asked last."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, PIECE):
            yield batch.slice(start, PIECE)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(each.nbytes for each in group) >= _GROUP:
            yield group
            group = []
    if group:
        yield group


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    return (dict(zip(batch.schema.names, row, strict=True)) for row in _values(batch))


def _values(batch: pa.RecordBatch) -> Iterable[tuple[Any, ...]]:
    columns = (_listed(column) for column in batch.columns)
    return zip(*columns, strict=True) if batch.num_columns else ((),) * batch.num_rows


def _listed(column: pa.Array) -> list[Any]:
    """A column's values; times that Python has none for as numpy writes them."""
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):
        return [_each(value) for value in column]


def _each(value: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    try:
        return value.as_py()
    except (OverflowError, ValueError):
        if pa.types.is_temporal(value.type):
            unit = "D" if pa.types.is_date(value.type) else value.type.unit
            return str(np.datetime64(value.value, unit))
        raise Malformed("a time within the answer is outside the years 1 to 9999; cast it to text") from None


def _json(row: dict[str, Any]) -> str:
    return escaped_json(json.dumps(in_json(row, _in_utc), ensure_ascii=False, default=str))


def _csv(rows: Iterable[list[Any]], end: str) -> str:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator=end).writerows(rows)
    return sink.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict, bool)) else value


def _in_utc(value: Any) -> Any:
    in_zone = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if in_zone else value
