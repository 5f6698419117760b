"""What rows to learn from may look like, turned into typed columns; their fingerprint tells the data without showing it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

from ..errors import Malformed

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["number", "category"]


@dataclass(frozen=True)
class Column:
    """One named column: numbers as float64 with NaN for missing, or categories as places in `levels`, -1 for missing.

    `levels` are the texts that occur, in the order of their UTF-8 bytes, so equal content makes equal columns.
    """

    name: str
    kind: Kind
    values: npt.NDArray[Any]
    levels: tuple[str, ...] = ()

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Which rows have no value, shape (rows,)."""
        return np.isnan(self.values) if self.kind == "number" else self.values < 0

    def hashes(self) -> npt.NDArray[np.int64]:
        """Each row's level as 64 bits of its blake3, shape (rows,): parameters can hold these and show no value.

        A missing value hashes like no text.
        """
        import blake3

        digests = (blake3.blake3(level.encode()).digest(8) for level in (*self.levels, ""))
        table = np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)
        table[-1] = MISSING
        return table[self.values]

    def as_categories(self) -> Column:
        """The same column with its numbers written out; whole ones without a point, so 1 and 1.0 are one level."""
        if self.kind == "category":
            return self
        texts = [None if value != value else f"{value:.0f}" if value.is_integer() else repr(value) for value in self.values.tolist()]
        levels = tuple(sorted({text for text in texts if text is not None}))
        place: dict[str | None, int] = {level: index for index, level in enumerate(levels)} | {None: -1}
        return Column(self.name, "category", np.array([place[text] for text in texts], np.int64), levels)


MISSING = 0  # the hash of a missing category; 64 bits of a level's blake3 are 0 once in 2**64


@dataclass(frozen=True)
class Table:
    """Typed columns of one length, in the order given."""

    columns: tuple[Column, ...]
    rows: int

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def schema(self) -> tuple[tuple[str, Kind], ...]:
        """Each column's name and kind."""
        return tuple((column.name, column.kind) for column in self.columns)

    def take(self, rows: npt.NDArray[Any]) -> Table:
        """The rows at these places; levels that no longer occur stay listed."""
        return Table(tuple(replace(column, values=column.values[rows]) for column in self.columns), len(rows))

    def aligned(self, schema: Sequence[tuple[str, Kind]]) -> Table:
        """These columns in that order and of those kinds.

        Raises `Malformed` naming the columns that are missing or unknown, or one that is text where numbers belong.
        """
        names = [name for name, _ in schema]
        missing = [name for name in names if name not in self.by_name]
        unknown = [name for name in self.by_name if name not in set(names)]
        if missing or unknown:
            parts = [f"{word} {_listed(some)}" for word, some in (("lacks", missing), ("adds", unknown)) if some]
            raise Malformed(f"the data {' and '.join(parts)}; give the columns that the model was trained on")
        return Table(tuple(_as_kind(self.by_name[name], kind) for name, kind in schema), self.rows)


def read_table(data: Any) -> Table:
    """Typed columns of a 2-d array, DataFrame, Arrow table (or what exports one), list of rows or mapping of columns.

    Numbers and booleans are numbers; text and dictionary-encoded columns (pandas' Categorical) are categories; None
    and NaN are missing. An array's columns are named "0", "1", … Raises `Malformed` on anything else.
    """
    table = _arrow(data)
    names = [str(name) for name in table.column_names]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"the data has two columns named {twice!r}; rename one")
    if not table.num_rows or not names:
        raise Malformed(f"the data has {table.num_rows} rows and {len(names)} columns; give at least one of each")
    columns = tuple(_column(name, table.column(index)) for index, name in enumerate(names))
    return Table(columns, table.num_rows)


def read_labels(labels: Any, rows: int) -> Column:
    """One column of labels for so many rows. Raises `Malformed` on another count, several columns, or a missing label."""
    import pyarrow as pa

    if isinstance(labels, Mapping) or getattr(labels, "ndim", 1) == 2 or isinstance(labels, pa.Table):
        table = read_table(labels)
        if len(table.columns) != 1:
            raise Malformed(f"the labels have {len(table.columns)} columns; give one label a row")
        column = replace(table.columns[0], name="label")
    else:
        column = _column("label", _chunked("label", labels))
    if len(column.values) != rows:
        raise Malformed(f"there are {len(column.values)} labels for {rows} rows; give one label a row")
    if column.missing.any():
        raise Malformed(f"{int(column.missing.sum())} labels are missing; drop these rows")
    return column


def fingerprint(data: Any, labels: Any = None) -> dict[str, Any]:
    """{"digest", "rows", "columns": [{"name", "type"}]}: names, types and counts, never a value.

    The digest is blake3 over the typed columns in order, so equal content in pandas, Arrow or a mapping is equal.
    Columns of integers and of equal floats are equal too: numbers are float64, and every NaN is one NaN.
    """
    table = data if isinstance(data, Table) else read_table(data)
    label = labels if isinstance(labels, Column) or labels is None else read_labels(labels, table.rows)
    columns: list[dict[str, str]] = [{"name": name, "type": kind} for name, kind in table.schema]
    return {"digest": _digest(table, label), "rows": table.rows, "columns": columns}


def _digest(table: Table, label: Column | None) -> str:
    import blake3

    hasher = blake3.blake3()
    for column in (*table.columns, *(() if label is None else (label,))):
        column = column if column.kind == "number" else _compact(column)
        header = {"name": column.name, "type": column.kind, "rows": table.rows, "levels": column.levels}
        encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        values = np.where(np.isnan(column.values), np.nan, column.values + 0.0) if column.kind == "number" else column.values
        # + 0.0 turns -0.0 into 0.0, which compares equal to it.
        hasher.update(len(encoded).to_bytes(8, "little") + encoded)
        hasher.update(values.astype("<f8" if column.kind == "number" else "<i8").tobytes())
    return f"blake3:{hasher.hexdigest()}"


def _compact(column: Column) -> Column:
    """The column with only those levels that occur."""
    used = np.unique(column.values[column.values >= 0])
    if len(used) == len(column.levels):
        return column
    values = np.where(column.values < 0, -1, np.searchsorted(used, column.values))
    return replace(column, values=values, levels=tuple(column.levels[place] for place in used))


def _arrow(data: Any) -> pa.Table:
    import pyarrow as pa

    if isinstance(data, Mapping):
        columns = cast("Mapping[Any, Any]", data)
        arrays = {str(name): _chunked(str(name), values) for name, values in columns.items()}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            (first, one), (other, two) = next(iter(lengths.items())), min(lengths.items(), key=lambda item: item[1])
            if one == two:
                other, two = max(lengths.items(), key=lambda item: item[1])
            raise Malformed(f"column {first!r} has {one} rows and column {other!r} {two}; give columns of one length")
        return pa.table(arrays)
    if isinstance(data, pa.Table | pa.RecordBatch) or hasattr(data, "__arrow_c_stream__"):
        return _exported(data)
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        return pa.table(list(map(_chunked, map(str, data.columns), (data.iloc[:, i] for i in range(len(data.columns))))), names=list(map(str, data.columns)))
    array = _matrix(data)
    return pa.table([_chunked(str(i), array[:, i]) for i in range(array.shape[1])], names=list(map(str, range(array.shape[1]))))
