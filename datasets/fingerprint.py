"""The fingerprint of rows, version 2: a digest a column, the labels apart, and over these one that names the rows."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from .columns import Column, Table
from .types import Kind

VERSION: Final = 2
_AT_ONCE: Final = 1 << 18
"""Rows of a column that are laid out at once to be hashed."""
_SHORT: Final = 32
"""Hexadecimal digits of a column's digest that are told."""


class RowsHasher:
    """The fingerprint of rows that come in pieces; it is the same whatever the pieces are.

    The order of the columns does not matter. That of the rows does: what a fit comes to depends on it, and digests of
    columns that knew no order could not tell which values stand in one row.
    """

    def __init__(self) -> None:
        self._columns: dict[str, _ColumnHasher] = {}
        self._labels: _ColumnHasher | None = None
        self._rows = 0

    def update(self, table: Table, labels: Column | None = None) -> None:
        """Go on with more rows. Raises `Malformed` where their columns are not those of the rows before."""
        if not self._rows:
            self._columns = {name: _ColumnHasher(name) for name in table.by_name}
            self._labels = None if labels is None else _ColumnHasher("label")
        if table.by_name.keys() != self._columns.keys() or (labels is None) != (self._labels is None):
            raise Malformed("the rows come in pieces that do not have the same columns; give all of them in each piece")
        for column in table.columns:
            self._columns[column.name].update(column)
        if self._labels is not None and labels is not None:
            self._labels.update(labels)
        self._rows += table.rows

    def fingerprint(self) -> dict[str, Any]:
        """{"digest", "version": 2, "rows", "columns": [{"name", "type", "digest"}, …], "labels": {"type", "digest"}}.

        Names, types, counts and digests, never a value; "labels" only where there are some.
        """
        import blake3

        if not self._rows:
            raise Malformed("the data has no rows or no columns; give at least one of each")
        digests = {name: column.digest() for name, column in self._columns.items()}
        whole = blake3.blake3(b"lepton rows 2\n")
        for digest in sorted(digests.values()):
            whole.update(digest)
        told: dict[str, Any] = {}
        if self._labels is not None:
            whole.update(b"labels\n" + self._labels.digest())
            told = {"labels": {"type": self._labels.kind, "digest": _short(self._labels.digest())}}
        columns = [
            {"name": name, "type": self._columns[name].kind, "digest": _short(digest)}
            for name, digest in digests.items()
        ]
        known = {"digest": f"blake3:{whole.hexdigest()}", "version": VERSION, "rows": self._rows, "columns": columns}
        return known | told


class _ColumnHasher:
    """The digest of one column: of its name, kind and number of rows, and of each row's value in its turn.

    Numbers and dates are float64, -0.0 as 0.0 and every missing one as one NaN; a text is its length in bytes (-1
    where it is missing) and, apart, its UTF-8; an array is its numbers as float32, its shape beside kind and rows.
    """

    def __init__(self, name: str) -> None:
        import blake3

        self._name = name
        self._kind: Kind | None = None
        self._shape: tuple[int, ...] | None = None
        self._rows = 0
        self._fixed = blake3.blake3()
        self._texts = blake3.blake3()

    @property
    def kind(self) -> Kind:
        """What the column holds; numbers where nothing in it is known."""
        return self._kind or "number"

    def update(self, column: Column) -> None:
        """Go on with more rows. Raises `Malformed` where they hold another kind of values."""
        if column.kind != "number" or not column.missing.all():
            self._held(column)
            self._add(column.as_kind(self.kind))
        elif self._kind is not None:  # nothing is known of these rows, which is of any kind
            self._add(column.as_kind(self._kind))
        self._rows += len(column.values)

    def digest(self) -> bytes:
        """32 bytes; more rows may follow all the same."""
        import blake3

        if self._kind is None:
            self._held(Column(self._name, "number", np.empty(0)))
        shape = [] if self._shape is None else [self._shape]
        header = json.dumps([self._name, self._kind, self._rows, *shape], separators=(",", ":")).encode()
        return blake3.blake3(header + b"\n" + self._fixed.digest() + self._texts.digest()).digest()

    def _held(self, column: Column) -> None:
        """Note what the column holds, and hash what came before anything of it was known."""
        if self._kind is None:
            self._kind = column.kind
            for length in _lengths(self._rows):
                self._add(Column(self._name, "number", np.full(length, np.nan)).as_kind(self._kind))
        elif column.kind != self._kind and not column.missing.all():
            raise Malformed(
                f"column {self._name!r} holds another type in one piece of the rows than in another; give its type"
            )

    def _add(self, column: Column) -> None:
        start = 0
        if column.kind == "array":
            self._add_arrays(column.values)
            return
        for length in _lengths(len(column.values)):
            values = column.values[start : start + length]
            if column.kind == "category":
                fixed, texts = _laid_out(values, column.levels)
                self._texts.update(texts)
            else:
                fixed = np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8")
            self._fixed.update(fixed.tobytes())
            start += length

    def _add_arrays(self, values: npt.NDArray[Any]) -> None:
        if self._shape not in (None, values.shape[1:]):
            raise Malformed(f"column {self._name!r} holds arrays of another shape in one piece of the rows; give one")
        self._shape = values.shape[1:]
        for row in values:
            self._fixed.update(np.ascontiguousarray(row + 0, "<f4").tobytes())


def _lengths(rows: int) -> Iterator[int]:
    return (min(_AT_ONCE, rows - start) for start in range(0, rows, _AT_ONCE))


def _laid_out(places: npt.NDArray[Any], levels: tuple[str, ...]) -> tuple[npt.NDArray[Any], bytes]:
    """Each row's text by its length, and all texts one behind the other."""
    import pyarrow as pa

    encoded = [level.encode() for level in levels]
    lengths = np.array([*map(len, encoded), -1], "<i8")[places]  # -1, a missing value, takes the last
    known = places[places >= 0]
    if not len(known):
        return lengths, b""
    taken: Any = pa.array(encoded, pa.large_binary()).take(pa.array(known))
    data = taken.buffers()[2]
    return lengths, b"" if data is None else memoryview(data)[: int(lengths[lengths > 0].sum())].tobytes()


def _short(digest: bytes) -> str:
    return digest.hex()[:_SHORT]
