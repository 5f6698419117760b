"""Pictures: their channels first, and varied while they are learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...errors import Malformed
from ..examples import Batch, TensorExamples
from .hyperparameters import Augment

CHANNELS: Final = 4
"""At most, of a picture: grey, grey and transparency, colours, colours and transparency."""


def pictures_of(values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Arrays of column `name` as pictures with their channels first. Raises `Malformed` where they are none."""
    if values.ndim == 3:
        return values[:, None]
    if values.ndim == 4 and values.shape[3] <= CHANNELS:
        return values.transpose(0, 3, 1, 2)
    if values.ndim == 4 and values.shape[1] <= CHANNELS:
        return values
    shape = " × ".join(map(str, values.shape[1:]))
    raise Malformed(
        f"the arrays of column {name!r} have the shape {shape}, which is no picture; give height × width, or "
        "height × width × channels, of at most 4"
    )


@dataclass(frozen=True)
class VariedPictures(TensorExamples):
    """Pictures that are varied each time that they are learnt from."""

    how: Augment = "shift"

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The pictures at these places; where they are learnt from, varied."""
        (pictures,), targets = super().batch(places, learning=learning)
        return Batch((varied(pictures, self.how) if learning else pictures,), targets)


def varied(pictures: Tensor, how: Augment) -> Tensor:
    """Pictures, shape (rows, channels, height, width), each moved by up to an eighth of its sides, and half of them
    mirrored if `how` is "flip"; what comes in at an edge repeats it."""
    rows, _, height, width = pictures.shape
    most = (height // 8, width // 8)
    padded = nn.functional.pad(pictures, (most[1], most[1], most[0], most[0]), mode="replicate")
    down, right = (torch.randint(0, 2 * each + 1, (rows, 1)) for each in most)
    down, right = down + torch.arange(height), right + torch.arange(width)
    if how == "flip":
        right = torch.where(torch.rand(rows, 1) < 0.5, right, right.flip(1))
    row = torch.arange(rows)[:, None, None]
    return padded[row, :, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2).contiguous()
