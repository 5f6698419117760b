"""Rows that bear a name, read again: as what they were named as, or as a version learnt them, and never other rows."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from ..errors import Malformed, Refused
from .fingerprint import RowsHasher
from .read import labelled_twice, of_table
from .selection import ALL, Selection, listed
from .sources.parquet_rows import ParquetRows
from .tables import read_labels, read_table
from .types import Kind
from .unpacked import parquet_table

KEPT: Final = "rows.parquet"
"""The tensor whose bytes are the rows, where they are kept."""
Reading: TypeAlias = Callable[[str | None, Selection, Mapping[str, Kind]], Any]


@dataclass(frozen=True)
class NamedSource:
    """How the rows of a version of a name are read again: from what was kept, else from where they lie."""

    words: str
    """The name with its version."""
    digest: str
    rows: int
    label: str | None
    chosen: Selection
    path: str = ""
    kept: Callable[[], Any] | None = None
    """The bytes of the Parquet file that was kept, where one was: whoever gives them verified them."""

    def read(self, label: str | None, chosen: Selection = ALL, schema: Mapping[str, Kind] | None = None) -> Any:
        """A table of the columns and the label's: by the schema that a version learnt, by a selection, or as named.

        Raises `Refused` where the file holds other rows than were named, else what `read.labelled` does.
        """
        if label is not None and self.label not in (None, label):
            raise self.other_labels(label)
        label = label or self.label
        return self._reading(label, chosen if self.kept else self._narrowed(chosen), schema or {})

    def other_labels(self, label: str) -> Malformed:
        """The refusal of another column as labels than the rows were named with."""
        return Malformed(
            f"the labels of {self.words} are its column {self.label!r}, not {label!r}; leave the label out, or give "
            "these rows a name with the other"
        )

    def split(
        self, label: str | None = None, chosen: Selection = ALL, schema: Mapping[str, Kind] | None = None
    ) -> tuple[Any, Any]:
        """As `read`, the columns and the labels apart; None for labels where there are none."""
        table, label = self.read(label, chosen, schema), label or self.label
        return (table, None) if label is None else (table.drop_columns([label]), table.column(label))

    def in_parts(self, label: str | None = None, chosen: Selection = ALL) -> ParquetRows:
        """As `split`, but of a Parquet file, whose rows are read as they are asked for once it was seen that they are
        those that were named. Raises `Refused` where the rows were kept: these are read at once."""
        if self.kept is not None:
            raise Refused(
                f"{self.words} was kept in the ledger, which gives its rows at once; leave rows_at_once out, or train "
                "from the path of a Parquet file"
            )
        if label is not None and self.label not in (None, label):
            raise self.other_labels(label)
        rows = ParquetRows.opened(self.path, label or self.label, self._narrowed(chosen))
        named = ParquetRows.opened(self.path, self.label, self.chosen)
        if named.fingerprint(None if self.label is None else named.labels())["digest"] != self.digest:
            raise self.others(named.rows)
        return rows

    def columns(self, names: Sequence[str] | None) -> Any:
        """Columns as they were named, the label's among them, an Arrow table; None for all of them."""
        table = self.read(None)
        if names is None:
            return table
        if lacking := [name for name in names if name not in table.column_names]:
            raise Malformed(f"{self.words} has no column {lacking[0]!r}; it has {listed(table.column_names)}")
        return table.select([*dict.fromkeys(names)])

    def _narrowed(self, chosen: Selection) -> Selection:
        """What is chosen of the rows as they were named."""
        columns = self.chosen.columns if chosen.columns is None else chosen.columns
        return Selection({**self.chosen.types, **chosen.types}, (*self.chosen.drop, *chosen.drop), columns)

    @cached_property
    def _reading(self) -> Reading:
        if self.kept is None:
            return labelled_twice(self.path, self.label, self.chosen, self._check)
        import pyarrow as pa

        table = parquet_table(pa.BufferReader(self.kept()))
        return lambda label, chosen, schema: of_table(table, label, chosen, schema)

    def _check(self, table: Any) -> None:
        """Hold that rows are those that were named."""
        rows = read_table(table if self.label is None else table.drop_columns([self.label]))
        hasher = RowsHasher()
        hasher.update(rows, None if self.label is None else read_labels(table.column(self.label), rows.rows))
        found = hasher.fingerprint()["digest"]
        if found != self.digest:
            raise self.others(rows.rows)

    def others(self, rows: int) -> Refused:
        """Why other rows than were named, so many of them, are not taken for these."""
        name = self.words.partition("@")[0]
        return Refused(
            f"the file of {self.words} holds other rows than were named ({self.changed(rows)}); bring those back, or "
            f"give the new ones the name: `lepton data add {name} FILE`"
        )

    def changed(self, rows: int) -> str:
        """How many other rows there are, in words."""
        return f"{rows:,} of {self.rows:,}" if rows != self.rows else f"{rows:,}, with other values"
