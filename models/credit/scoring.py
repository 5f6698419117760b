"""The module behind credit scoring: everything that a prediction needs, as parameters and buffers."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...datasets.columns import Table
from ...errors import Malformed
from ..encoding import table_inputs
from ..labels import Classes
from .encoding import Encoder
from .ensemble import WideAndDeep

ROWS_AT_ONCE = 524_288  # over all members together
LABEL_BYTES = 256


class ScoringNet(nn.Module):
    """An encoder, a bag of nets, the decision threshold and the two labels (their JSON as bytes, padded with zeros)."""

    def __init__(self, encoder: Encoder, hidden: Sequence[int], members: int) -> None:
        super().__init__()
        self.hidden = tuple(hidden)
        self.members = members
        self.encoder = encoder
        self.nets = WideAndDeep(encoder.layout.width, hidden, members)
        self.threshold = nn.Buffer(torch.tensor(0.5, dtype=torch.float64))
        self.labels = nn.Buffer(torch.zeros(LABEL_BYTES, dtype=torch.uint8))

    def forward(self, numbers: Tensor, hashes: Tensor) -> Tensor:
        """The positive class's probability, float64, shape (rows,): the members' mean. Takes what `Encoder` takes."""
        features = self.encoder(numbers, hashes).to(self.nets.wide.dtype)  # a copy of half precision is judged in it
        odds: Tensor = self.nets(features.expand(self.members, *features.shape))
        return odds.double().sigmoid().mean(dim=0)

    def probabilities(self, table: Table) -> npt.NDArray[np.float64]:
        """The positive class's probability of each row of a table with the training columns, shape (rows,)."""
        device = self.threshold.device
        numbers, hashes = table_inputs(table)
        step = max(1, ROWS_AT_ONCE // self.members)
        with torch.inference_mode():
            parts = [
                self(numbers[start : start + step].to(device), hashes[start : start + step].to(device))
                for start in range(0, table.rows, step)
            ]
            return torch.cat(parts).cpu().numpy()

    def decide_by(self, threshold: float, classes: Classes) -> None:
        """Keep the threshold and the two labels. Raises `Malformed` where the labels are too long."""
        encoded = json.dumps(classes, separators=(",", ":")).encode()
        if len(encoded) > LABEL_BYTES:
            raise Malformed(f"the two labels take {len(encoded)} bytes of {LABEL_BYTES}; use shorter ones")
        self.threshold.fill_(threshold)
        self.labels.zero_()[: len(encoded)] = torch.frombuffer(bytearray(encoded), dtype=torch.uint8)

    def classes(self) -> Classes:
        """The negative and the positive label."""
        negative, positive = json.loads(self.labels.cpu().numpy().tobytes().rstrip(b"\0"))
        return negative, positive
