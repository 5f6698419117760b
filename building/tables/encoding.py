"""Rows of a table as nets read them: numbers scaled, gaps flagged, categories as codes; what was learnt in buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...datasets.columns import Table
from ...models.credit.encoding import frequent

QUANTILES: Final = 256
"""Of a column of numbers, at most, between which it is interpolated."""
_EDGE: Final = 1e-6
"""The share that the least and the greatest number stand at: the normal distribution ends nowhere."""


@dataclass(frozen=True)
class TableLayout:
    """The shape of an encoder: numeric columns, which of them have a gap flag, and the levels of each category."""

    numbers: int
    flagged: tuple[int, ...]
    levels: tuple[int, ...]

    @property
    def width(self) -> int:
        """Numeric features of a row."""
        return self.numbers + len(self.flagged)

    @property
    def cardinalities(self) -> list[int]:
        """Codes that each category may have: its levels, and one for every other."""
        return [count + 1 for count in self.levels]

    def to_dict(self) -> dict[str, Any]:
        """The layout as JSON."""
        return {"numbers": self.numbers, "flagged": [*self.flagged], "levels": [*self.levels]}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The layout of what `to_dict` gave."""
        return cls(int(told["numbers"]), tuple(map(int, told["flagged"])), tuple(map(int, told["levels"])))


class TableEncoder(nn.Module):
    """Numbers and hashes of categories in, features and codes out.

    A number becomes the normal quantile of its rank among the training rows, so that no scale or outlier matters
    (Gorishniy et al. 2021 recommend it for nets over tables); a gap becomes the median, and a flag where training had
    gaps in that column. A category becomes the code of its level; rare and unknown ones share the last code. Levels are
    kept as hashes: no value of the data stands in any buffer as text.
    """

    def __init__(self, layout: TableLayout) -> None:
        super().__init__()
        self.layout = layout
        self.quantiles = nn.Buffer(torch.zeros(layout.numbers, QUANTILES, dtype=torch.float64))
        self.hashes = nn.Buffer(torch.zeros(sum(layout.levels), dtype=torch.int64))

    @classmethod
    def learnt(cls, table: Table, max_levels: int) -> Self:
        """An encoder for rows like these, keeping at most so many levels a category, the most frequent first."""
        numbers = [column for column in table.columns if column.kind != "category"]
        levels = [frequent(column, max_levels) for column in table.columns if column.kind == "category"]
        flagged = tuple(place for place, column in enumerate(numbers) if column.missing.any())
        encoder = cls(TableLayout(len(numbers), flagged, tuple(map(len, levels))))
        for place, column in enumerate(numbers):
            known = column.values[~column.missing]
            if len(known):
                encoder.quantiles[place] = torch.from_numpy(np.quantile(known, np.linspace(0, 1, QUANTILES)))
        if levels:
            encoder.hashes.copy_(torch.from_numpy(np.concatenate(levels)))
        return encoder

    def forward(self, numbers: Tensor, hashes: Tensor) -> tuple[Tensor, Tensor]:
        """Features, float32, shape (rows, width), and codes, int64, (rows, categories), of two parts of the rows.

        `numbers` is float64, shape (rows, numeric columns), NaN where missing; `hashes` int64, (rows, categories).
        """
        gaps = numbers.isnan()
        ranked = torch.where(gaps, 0.5, self._shares(torch.where(gaps, 0.0, numbers)))
        normal = cast("Tensor", torch.special.ndtri(ranked.clamp(_EDGE, 1 - _EDGE)))  # pyright: ignore[reportUnknownMemberType]
        features = torch.cat([normal.float(), gaps[:, list(self.layout.flagged)].float()], dim=1)
        known = cast("tuple[Tensor, ...]", self.hashes.split(list(self.layout.levels)))
        codes = [_codes(hashes[:, place], levels) for place, levels in enumerate(known)]
        return features, torch.stack(codes, dim=1) if codes else hashes.new_zeros(len(hashes), 0)

    def _shares(self, numbers: Tensor) -> Tensor:
        """The share of the training rows below each number, half of its equals counted: the mean of the ends of the
        stretch of quantiles that it stands in, interpolated."""
        if not self.layout.numbers:
            return numbers
        columns, places = numbers.T.contiguous(), torch.arange(QUANTILES, device=numbers.device, dtype=torch.float64)
        ends = [
            torch.searchsorted(self.quantiles, columns, right=right).clamp(1, QUANTILES - 1) for right in (False, True)
        ]
        shares: list[Tensor] = []
        for end in ends:
            low, high = self.quantiles.gather(1, end - 1), self.quantiles.gather(1, end)
            share = torch.where(high > low, (columns - low) / (high - low).clamp(min=1e-300), 0.5).clamp(0, 1)
            shares.append((places[end - 1] + share) / (QUANTILES - 1))
        return ((shares[0] + shares[1]) / 2).T


def _codes(hashes: Tensor, levels: Tensor) -> Tensor:
    """Places of hashes among the sorted levels; their count where it is none of them."""
    if not len(levels):
        return torch.zeros_like(hashes)
    place = torch.searchsorted(levels, hashes.contiguous()).clamp(max=len(levels) - 1)
    return torch.where(levels[place] == hashes, place, len(levels))
