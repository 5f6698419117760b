"""Labelled rows of a Parquet file that are read a row group at a time, for all of them need not fit into memory."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import Malformed, Refused
from ..columns import Column, Schema, Table
from ..memory import check_bytes, check_room
from ..profiles.pieces import wanted
from ..read import check_label, complaints, kind_of, local_stamp, open_rows
from ..selection import Selection
from ..tables import fingerprint_of_pieces, read_labels, read_table
from ..types import Kind, retyped


@dataclass(frozen=True, eq=False)
class ParquetRows:
    """Columns of an open file to learn from, and that of its labels."""

    path: str
    file: Any
    names: tuple[str, ...]
    """The columns to learn from."""
    label: str | None
    types: Mapping[str, Kind]
    stamp: tuple[int, int] | None
    """What tells whether the file is as it was when it was opened."""

    @classmethod
    def opened(cls, path: str, label: str | None, chosen: Selection) -> ParquetRows:
        """The chosen columns of a file. This, and each reading, may raise what `read.labelled` does."""
        from pyarrow import parquet

        if kind_of(path) != "parquet":
            raise Malformed("rows_at_once is for Parquet files alone; write the rows as one, or leave rows_at_once out")
        stamp = local_stamp(path)
        with complaints(path):
            file: Any = parquet.ParquetFile(open_rows(path), page_checksum_verification=True)
        if label is not None:
            check_label(path, file.schema_arrow.names, label)
        names = wanted(file.schema_arrow, label, chosen)
        return cls(path, file, tuple(name for name in names if name != label), label, chosen.types, stamp)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each row group begins, and behind the last where it ends, shape (groups + 1,)."""
        metadata = self.file.metadata
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.offsets[-1])

    @cached_property
    def schema(self) -> Schema:
        """Each column's name and kind."""
        return self.group(0).schema

    def group(self, number: int) -> Table:
        """The rows of a row group. Raises `Refused` where the file is no longer the one that was opened."""
        if local_stamp(self.path) != self.stamp:
            raise Refused("the file was changed while it was learnt from; train anew")
        group = self.file.metadata.row_group(number)
        with complaints(self.path):
            check_room(group.num_rows, len(self.names))
            check_bytes(group.total_byte_size)
            return self._typed(self.file.read_row_group(number, columns=self.names))

    def labels(self) -> Column:
        """All labels, in memory."""
        assert self.label is not None
        return read_labels(replace(self._column(self.label), name="label"), self.rows)

    def fingerprint(self, labels: Column | None) -> dict[str, Any]:
        """As `tables.fingerprint` of all rows, without "v1"."""
        return fingerprint_of_pieces(
            (self.group(number), None if labels is None else replace(labels, values=labels.values[first:last]))
            for number, (first, last) in enumerate(pairwise(self.offsets))
            if last > first
        )

    def parted(self, names: Collection[str]) -> tuple[ParquetRows, dict[str, Column]]:
        """The rows without the columns of these names, and those of them that there are, in memory."""
        apart = {name: self._column(name) for name in self.names if name in names}
        return replace(self, names=tuple(name for name in self.names if name not in apart)), apart

    def _column(self, name: str) -> Column:
        with complaints(self.path):
            return self._typed(self.file.read(columns=[name])).columns[0]

    def _typed(self, table: Any) -> Table:
        columns = {name: table.column(name) for name in table.column_names}
        return read_table(
            {
                name: retyped(name, column.combine_chunks(), self.types[name]) if name in self.types else column
                for name, column in columns.items()
            }
        )
