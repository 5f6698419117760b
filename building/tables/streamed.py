"""A table that is read a row group at a time: a view of some of its rows, and these as examples.

Rows are learnt from in windows of row groups, so many that no more than `at_once` rows are in memory: for each epoch
the groups are put into an order drawn by the seed, and the rows of each window into another. What the encoding needs is
learnt from a sample of as many rows, drawn by the seed. So all follows from places, and a training that was cut off
goes on with the same bits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from ...datasets.columns import Column, Schema, Table
from ...datasets.sources.parquet_rows import ParquetRows
from ...datasets.splits.places import Places
from ...datasets.tables import fingerprint_of_pieces
from ...errors import Malformed, Refused
from ..examples import Batch

if TYPE_CHECKING:
    from .encoding import TableEncoder


@dataclass(frozen=True, eq=False)
class StreamedTable:
    """Some rows of a file, by their places in it, which rise."""

    source: ParquetRows
    places: Places
    at_once: int

    @classmethod
    def of(cls, source: ParquetRows, at_once: int) -> StreamedTable:
        """All rows. Raises `Refused` where two row groups have more than are read at once."""
        largest = int(np.diff(source.offsets).max(initial=0))
        if not largest or not source.names:
            raise Malformed("the data has no rows or no columns; give at least one of each")
        if 2 * largest > at_once:
            raise Refused(
                f"a row group of the file has {largest:,} rows, and rows_at_once is {at_once:,}; set it to "
                f"{2 * largest:,} or more, or write the file with smaller row groups"
            )
        return cls(source, np.arange(source.rows), at_once)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.places)

    @property
    def schema(self) -> Schema:
        """Each column's name and kind."""
        return self.source.schema

    @cached_property
    def bounds(self) -> Places:
        """Where the rows of each row group begin among these, and behind the last where they end."""
        return np.searchsorted(self.places, self.source.offsets)

    @cached_property
    def window(self) -> int:
        """Row groups whose rows are shuffled together; those of two windows are kept, for a batch may be of both."""
        return self.at_once // int(np.diff(self.source.offsets).max()) // 2

    def take(self, rows: Places) -> StreamedTable:
        """Those at these places, which rise."""
        return replace(self, places=self.places[rows])

    def group(self, number: int) -> Table:
        """Those of a row group."""
        first, last = self.bounds[number : number + 2]
        group = self.source.group(number).aligned(self.schema)
        return group.take(self.places[first:last] - self.source.offsets[number])

    def tables(self) -> Iterator[tuple[slice, Table]]:
        """All rows, a row group at a time, and where they stand among these."""
        for number in range(len(self.bounds) - 1):
            first, last = map(int, self.bounds[number : number + 2])
            if last > first:
                yield slice(first, last), self.group(number)

    def sample(self, seed: int) -> Table:
        """Some of them in memory: all, or as many as are read at once, drawn by the seed."""
        drawn = np.random.default_rng(seed).choice(self.rows, min(self.rows, self.at_once), replace=False)
        tables = [table for _, table in self.take(np.sort(drawn)).tables()]
        columns = zip(*(table.columns for table in tables), strict=True)
        return Table(tuple(map(_joined, columns)), len(drawn))

    def fingerprint(self, labels: Column) -> dict[str, Any]:
        """Theirs with their labels, as `datasets.tables.fingerprint` has it, without "v1"."""
        return fingerprint_of_pieces(
            (table, replace(labels, values=labels.values[where])) for where, table in self.tables()
        )


class StreamedExamples:
    """Rows encoded as they are asked for; those of the last row groups are kept, so that each is read once an epoch."""

    def __init__(self, rows: StreamedTable, encoder: TableEncoder, targets: Tensor) -> None:
        self.targets = targets
        self._rows = rows
        self._encoder = encoder
        self._bounds = torch.from_numpy(rows.bounds)
        self._encoded: OrderedDict[int, tuple[Tensor, Tensor]] = OrderedDict()

    def __len__(self) -> int:
        return self._rows.rows

    def order(self, generator: torch.Generator) -> Tensor:
        """The row groups in an order drawn from the generator, and the rows of each window of them in another."""
        groups = cast("list[int]", torch.randperm(len(self._bounds) - 1, generator=generator).tolist())
        ordered: list[Tensor] = []
        for first in range(0, len(groups), self._rows.window):
            window = groups[first : first + self._rows.window]
            inside = torch.cat([torch.arange(*self._rows.bounds[group : group + 2]) for group in window])
            ordered.append(inside[torch.randperm(len(inside), generator=generator)])
        return torch.cat(ordered)

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The rows at these places, the same whether they are learnt from or not."""
        del learning
        group_of = torch.searchsorted(self._bounds, places, right=True) - 1
        parts: list[tuple[Tensor, ...]] = []
        order: list[Tensor] = []
        for group in sorted({*cast("list[int]", group_of.tolist())}):
            (here,) = torch.where(group_of == group)
            inputs, within = self._group(group), places[here] - self._bounds[group]
            parts.append(tuple(part[within] for part in inputs))
            order.append(here)
        back = torch.cat(order).argsort()
        features, codes = (torch.cat(part)[back] for part in zip(*parts, strict=True))
        return Batch((features, codes), self.targets[places])

    def _group(self, number: int) -> tuple[Tensor, Tensor]:
        if number in self._encoded:
            self._encoded.move_to_end(number)
            return self._encoded[number]
        while len(self._encoded) >= 2 * self._rows.window:
            self._encoded.popitem(last=False)
        with torch.no_grad():
            encoded = self._encoder.encoded(self._rows.group(number))
        self._encoded[number] = encoded
        return encoded


def _joined(columns: Sequence[Column]) -> Column:
    """Pieces of one column, one behind the other."""
    first = columns[0]
    if first.kind != "category":
        return replace(first, values=np.concatenate([column.values for column in columns]))
    levels = tuple(sorted({level for column in columns for level in column.levels}))
    place = {level: number for number, level in enumerate(levels)}
    codes = [
        np.append([place[level] for level in column.levels], -1).astype(np.int64)[column.values] for column in columns
    ]
    return replace(first, values=np.concatenate(codes), levels=levels)
