"""Rows as nets read them: what all encoders of tables share. Levels are kept as hashes, never as text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..datasets.columns import Column, Table
from ..errors import Malformed


@dataclass(frozen=True)
class Layout:
    """The shape of an encoder: how many numeric columns, which of them have a gap flag, levels of each category."""

    numbers: int
    flagged: tuple[int, ...]
    levels: tuple[int, ...]

    @property
    def numeric(self) -> int:
        """Features that numbers become: each its own, and a flag where it has gaps."""
        return self.numbers + len(self.flagged)

    @property
    def cardinalities(self) -> list[int]:
        """Codes that each category may have: its levels, and one for every other."""
        return [count + 1 for count in self.levels]

    @property
    def width(self) -> int:
        """Features of a row where each code of a category is one."""
        return self.numeric + sum(self.cardinalities)

    def to_dict(self) -> dict[str, Any]:
        """The layout as JSON."""
        return {"numbers": self.numbers, "flagged": [*self.flagged], "levels": [*self.levels]}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The layout of what `to_dict` gave."""
        return cls(int(told["numbers"]), tuple(map(int, told["flagged"])), tuple(map(int, told["levels"])))


class RowEncoder(nn.Module):
    """An encoder that learns what its buffers hold from rows."""

    hashes: Tensor
    """Of the levels that are told apart, sorted within each category: int64, shape (levels,)."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout

    @classmethod
    def learnt(cls, table: Table, max_levels: int) -> Self:
        """An encoder for rows like these, keeping at most so many levels a category, the most frequent first."""
        if arrays := [column.name for column in table.columns if column.kind == "array"]:
            raise Malformed(f"column {arrays[0]!r} holds arrays, and this model reads numbers, dates and text")
        numbers = [column for column in table.columns if column.kind != "category"]
        levels = [_frequent(column, max_levels) for column in table.columns if column.kind == "category"]
        flagged = tuple(place for place, column in enumerate(numbers) if column.missing.any())
        encoder = cls(Layout(len(numbers), flagged, tuple(map(len, levels))))
        for place, column in enumerate(numbers):
            known = column.values[~column.missing]
            if len(known):  # a column without a value stays as it was begun
                encoder._measure(place, known)
        if levels:
            encoder.hashes.copy_(torch.from_numpy(np.concatenate(levels)))
        return encoder

    @abstractmethod
    def _measure(self, place: int, known: npt.NDArray[np.float64]) -> None:
        """Keep what is to be known of a numeric column, of its values that are not missing."""


def table_inputs(table: Table) -> tuple[Tensor, Tensor]:
    """What encoders take, of a table's numeric and category columns.

    Numbers are float64, shape (rows, numeric columns), NaN where missing; hashes int64, (rows, categories).
    """
    numbers = [column.values for column in table.columns if column.kind != "category"]
    hashes = [column.hashes() for column in table.columns if column.kind == "category"]
    return (
        torch.from_numpy(np.stack(numbers, axis=1) if numbers else np.empty((table.rows, 0))),
        torch.from_numpy(np.stack(hashes, axis=1) if hashes else np.empty((table.rows, 0), np.int64)),
    )


def _frequent(column: Column, most: int) -> npt.NDArray[np.int64]:
    """Hashes of the levels to keep, sorted. Rare ones count as others, so that these are learnt too."""
    rare = max(1, min(5, len(column.values) // 100))
    hashes, counts = np.unique(column.hashes(), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return np.sort(hashes[order][counts[order] >= rare])
