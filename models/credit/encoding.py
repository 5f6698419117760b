"""Rows as a net reads them: numbers to scale, gaps flagged, categories one-hot, and all that was learnt in buffers."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..encoding import Layout, RowEncoder

TAILS = (0.01, 0.99)  # beyond these training quantiles a number counts as the quantile, so no outlier rules a scale


class Encoder(RowEncoder):
    """Numbers and hashes of categories in, features out.

    A number is clipped to the training tails and standardised; a gap becomes the median, and a flag where training had
    gaps in that column. A category becomes one feature a level learnt and one for every other level; a missing
    category is a level like any other. Levels are kept as hashes: no value of the data stands in any buffer as text.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.low = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.high = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.median = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.mean = nn.Buffer(torch.zeros(layout.numbers, dtype=torch.float64))
        self.scale = nn.Buffer(torch.ones(layout.numbers, dtype=torch.float64))
        self.hashes = nn.Buffer(torch.zeros(sum(layout.levels), dtype=torch.int64))

    def _measure(self, place: int, known: npt.NDArray[np.float64]) -> None:
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
