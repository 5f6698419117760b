"""The U-Net (Ronneberger, Fischer and Brox 2015, https://arxiv.org/abs/1505.04597): what each pixel of a picture is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """Blocks that look at ever coarser pictures, and blocks that lead back, each beside what was seen at its size."""

    def __init__(self, shape: Mapping[str, Any], channels: int, outputs: int) -> None:
        super().__init__()
        widths = [shape["width"] * 2**place for place in range(shape["blocks"] + 1)]
        self.down = nn.ModuleList(
            _convolved(before, width) for before, width in zip([channels, *widths[:-2]], widths[:-1], strict=True)
        )
        self.deepest = nn.Sequential(_convolved(widths[-2], widths[-1]), nn.Dropout2d(shape["dropout_rate"]))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(deeper, width, 2, stride=2)
            for deeper, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.joined = nn.ModuleList(_convolved(2 * width, width) for width in widths[-2::-1])
        self.head = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """A logit a class and pixel, shape (rows, outputs, height, width), of pictures (rows, channels, height, width).

        Sides that cannot be halved so often are filled up by repeating the edge, and cut again.
        """
        height, width = pictures.shape[2:]
        fold = 2 ** len(self.down)
        said = nn.functional.pad(pictures, (0, -width % fold, 0, -height % fold), mode="replicate")
        seen: list[Tensor] = []
        for block in self.down:
            seen.append(said := block(said))
            said = nn.functional.max_pool2d(said, 2)
        said = self.deepest(said)
        for up, block, beside in zip(self.up, self.joined, reversed(seen), strict=True):
            said = block(torch.cat([up(said), beside], dim=1))
        return self.head(said)[:, :, :height, :width]


def _convolved(before: int, width: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for channels in (before, width):
        parts += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*parts)
