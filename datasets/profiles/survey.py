"""A survey of rows: their fingerprint and profile from one reading, and the rows themselves as Parquet where wanted."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ...errors import Malformed, Refused
from ..columns import Column, Table
from ..fingerprint import RowsHasher
from ..tables import read_labels, read_table
from ..values.tensors import tensor_array
from .profile import Profiler

ROOM: Final = 235_000
"""Bytes of JSON that fingerprint and profile may take of the 256 KiB that an event holds."""


TOGETHER: Final = 1 << 17
"""Rows that are written as one group: Parquet packs few rows badly."""


@dataclass(frozen=True)
class Survey:
    """What was found of rows."""

    fingerprint: dict[str, Any]
    profile: dict[str, Any]


def survey(pieces: Iterable[Any], label: str | None, keeping: RowsWriter | None = None) -> Survey:
    """Read rows once, Arrow tables that hold the label's column too. Raises what `read_table`, `read_labels` do."""
    hasher, profiler = RowsHasher(), Profiler()
    for piece in pieces:
        if not piece.num_rows:
            continue
        table = read_table(piece if label is None else piece.drop_columns([label]))
        labels = None if label is None else read_labels(piece.column(label), table.rows)
        hasher.update(table, labels)
        profiler.update(table, labels)
        if keeping is not None:
            keeping.write(piece, table, labels, label)
    fingerprint = hasher.fingerprint()
    room = ROOM - len(json.dumps(fingerprint, ensure_ascii=False).encode())
    if room < 0:
        raise Malformed(
            f"the rows have {len(fingerprint['columns']):,} columns, whose digests do not fit into one event; name "
            "fewer of them by columns"
        )
    profile = profiler.told(room)
    if "labels" in profile:
        profile["labels"]["name"] = label
    return Survey(fingerprint, profile)


class RowsWriter:
    """Writes rows to a Parquet file as what they were typed as: read back they have the same fingerprint."""

    def __init__(self, file: Any, most: int) -> None:
        self._file = file
        self._most = most
        self._held: list[Any] = []
        self._writer: Any = None

    def write(self, piece: Any, table: Table, labels: Column | None, label: str | None) -> None:
        """Go on with more rows. Raises `Refused` where the file grows beyond what is kept."""
        import pyarrow as pa

        columns = {column.name: column for column in table.columns}
        if label is not None and labels is not None:
            columns[label] = labels
        self._held.append(pa.table({name: _plain(piece.column(name), column) for name, column in columns.items()}))
        if sum(each.num_rows for each in self._held) >= TOGETHER:
            self._flush()

    def finish(self) -> None:
        """Write what is held, and what the file ends with. Raises as `write` does."""
        self._flush()
        self.close()

    def close(self) -> None:
        """Give the file back, whole or not."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        if not self._held:
            return
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, self._held[0].schema, compression="zstd")
        try:
            self._writer.write_table(pa.concat_tables([each.cast(self._writer.schema) for each in self._held]))
        except pa.ArrowInvalid:
            raise Refused(
                "a column holds another type in one part of the file than in another; give its type"
            ) from None
        self._held.clear()
        if self._file.tell() > self._most:
            raise Refused(
                f"the rows take more than {self._most / 1e9:.1f} GB as Parquet, which is the most that is kept; name "
                "the file where it lies, or fewer rows"
            )


def _plain(array: Any, column: Column) -> Any:
    """A column as Parquet keeps it: text, moments in UTC, whole numbers, truth values or floats."""
    import pyarrow as pa

    array = array.combine_chunks()
    kind = array.type
    if column.kind == "array":
        return tensor_array(column.name, column.values)
    if column.kind == "category":
        levels = pa.array(column.levels, pa.large_string())
        return levels.take(pa.array(column.values, mask=column.values < 0))
    if column.kind == "date":
        return array.cast(pa.timestamp("us"), safe=False)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return array.cast(pa.int64() if pa.types.is_integer(kind) else pa.bool_())
    return pa.array(column.values, pa.float64(), from_pandas=True)
