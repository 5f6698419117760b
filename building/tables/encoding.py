"""Rows of a table as nets read them: numbers scaled, gaps flagged, categories as codes; what was learnt in buffers."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...datasets.columns import Table
from ...models.encoding import Layout, RowEncoder, table_inputs

QUANTILES: Final = 256
"""Of a column of numbers, at most, between which it is interpolated."""
AT_ONCE: Final = 1 << 18
"""Values that are encoded at once."""
_EDGE: Final = 1e-6
"""The share that the least and the greatest number stand at: the normal distribution ends nowhere."""


class TableEncoder(RowEncoder):
    """Numbers and hashes of categories in, features and codes out.

    A number becomes the normal quantile of its rank among the training rows, so that no scale or outlier matters
    (Gorishniy et al. 2021 recommend it for nets over tables); a gap becomes the median, and a flag where training had
    gaps in that column. A category becomes the code of its level; rare and unknown ones share the last code. Levels are
    kept as hashes: no value of the data stands in any buffer as text.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.quantiles = nn.Buffer(torch.zeros(layout.numbers, QUANTILES, dtype=torch.float64))
        self.hashes = nn.Buffer(torch.zeros(sum(layout.levels), dtype=torch.int64))

    def _measure(self, place: int, known: npt.NDArray[np.float64]) -> None:
        self.quantiles[place] = torch.from_numpy(np.quantile(known, np.linspace(0, 1, QUANTILES)))

    def encoded(self, table: Table) -> tuple[Tensor, Tensor]:
        """What `forward` makes of rows, some of them at a time, for what it makes on its way is many times as large."""
        at_once = max(1, AT_ONCE // len(table.columns))
        numbers, hashes = (cast("tuple[Tensor, ...]", part.split(at_once)) for part in table_inputs(table))
        features, codes = zip(*map(self, numbers, hashes), strict=True)
        return torch.cat(features), torch.cat(codes)

    def forward(self, numbers: Tensor, hashes: Tensor) -> tuple[Tensor, Tensor]:
        """Features, float32, shape (rows, numeric), and codes, int64, (rows, categories), of two parts of the rows.

        `numbers` is float64, shape (rows, numeric columns), NaN where missing; `hashes` int64, (rows, categories).
        """
        gaps = numbers.isnan()
        ranked = torch.where(gaps, 0.5, self._shares(torch.where(gaps, 0.0, numbers)))
        normal = cast("Tensor", torch.special.ndtri(ranked.clamp(_EDGE, 1 - _EDGE)))  # pyright: ignore[reportUnknownMemberType]
        features = torch.cat([normal.float(), gaps[:, list(self.layout.flagged)].float()], dim=1)
        known = cast("tuple[Tensor, ...]", self.hashes.split(list(self.layout.levels)))
        codes = [codes_of(hashes[:, place], levels) for place, levels in enumerate(known)]
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


def codes_of(hashes: Tensor, levels: Tensor) -> Tensor:
    """Places of hashes among the sorted levels; their count where it is none of them."""
    if not len(levels):
        return torch.zeros_like(hashes)
    place = torch.searchsorted(levels, hashes.contiguous()).clamp(max=len(levels) - 1)
    return torch.where(levels[place] == hashes, place, len(levels))
