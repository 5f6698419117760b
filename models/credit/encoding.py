"""Rows as a net reads them: numbers to scale, gaps flagged, categories one-hot, and all that was learnt in buffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...datasets.columns import Column, Table

TAILS = (0.01, 0.99)  # beyond these training quantiles a number counts as the quantile, so no outlier rules a scale


@dataclass(frozen=True)
class Layout:
    """The shape of an encoder: how many numeric columns, which of them have a gap flag, levels of each category."""

    numbers: int
    flagged: tuple[int, ...]
    levels: tuple[int, ...]

    @property
    def width(self) -> int:
        """Features a row becomes."""
        return self.numbers + len(self.flagged) + sum(self.levels) + len(self.levels)


class Encoder(nn.Module):
    """Numbers and hashes of categories in, features out.

    A number is clipped to the training tails and standardised; a gap becomes the median, and a flag where training had
    gaps in that column. A category becomes one feature a level learnt and one for every other level; a missing
    category is a level like any other. Levels are kept as hashes: no value of the data stands in any buffer as text.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.low = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.high = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.median = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.mean = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.scale = nn.Buffer(torch.ones(layout.numbers, dtype=torch.float64))
        self.hashes = nn.Buffer(torch.zeros(sum(layout.levels), dtype=torch.int64))

    @classmethod
    def learnt(cls, table: Table, max_levels: int) -> Self:
        """An encoder for rows like these, keeping at most so many levels a category, the most frequent first."""
        numbers = [column for column in table.columns if column.kind != "category"]
        levels = [frequent(column, max_levels) for column in table.columns if column.kind == "category"]
        flagged = tuple(place for place, column in enumerate(numbers) if column.missing.any())
        encoder = cls(Layout(len(numbers), flagged, tuple(map(len, levels))))
        for place, column in enumerate(numbers):
            encoder._measure(place, column.values[~column.missing])
        if levels:
            encoder.hashes.copy_(torch.from_numpy(np.concatenate(levels)))
        return encoder

    def _measure(self, place: int, known: npt.NDArray[np.float64]) -> None:
        if not len(known):
            return  # a column without a value stays at mean 0 and scale 1
        low, median, high = np.quantile(known, (TAILS[0], 0.5, TAILS[1]))
        if low == high:  # a rare flag stands wholly in its tail
            low, high = known.min(), known.max()
        clipped = np.clip(known, low, high)
        self.low[place], self.median[place], self.high[place] = float(low), float(median), float(high)
        self.mean[place], self.scale[place] = float(clipped.mean()), float(clipped.std()) or 1.0

    def forward(self, numbers: Tensor, hashes: Tensor) -> Tensor:
        """Features, float32, shape (rows, width), of two parts of the rows.

        `numbers` is float64, shape (rows, numeric columns), NaN where missing; `hashes` int64, (rows, categories).
        """
        gaps = numbers.isnan()
        clipped = torch.where(gaps, self.median, numbers).clamp(self.low, self.high)
        parts = [(clipped - self.mean) / self.scale, gaps[:, list(self.layout.flagged)]]
        known = cast("tuple[Tensor, ...]", self.hashes.split(list(self.layout.levels)))
        hot = [hashes[:, place, None] == levels for place, levels in enumerate(known)]
        others = [~column.any(dim=1, keepdim=True) for column in hot]
        return torch.cat([part.float() for part in (*parts, *hot, *others)], dim=1)


def table_inputs(table: Table) -> tuple[Tensor, Tensor]:
    """What `Encoder.forward` takes, of a table's numeric and category columns."""
    numbers = [column.values for column in table.columns if column.kind != "category"]
    hashes = [column.hashes() for column in table.columns if column.kind == "category"]
    return (
        torch.from_numpy(np.stack(numbers, axis=1) if numbers else np.empty((table.rows, 0))),
        torch.from_numpy(np.stack(hashes, axis=1) if hashes else np.empty((table.rows, 0), np.int64)),
    )


def frequent(column: Column, most: int) -> npt.NDArray[np.int64]:
    """Hashes of the levels to keep, sorted. Rare ones count as others, so that these are learnt too."""
    rare = max(1, min(5, len(column.values) // 100))
    hashes, counts = np.unique(column.hashes(), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return np.sort(hashes[order][counts[order] >= rare])
