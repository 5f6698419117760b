"""The families of nets over windows of series, each from (rows, channels, time) to (rows,) or (rows, outputs).

Temporal convolutions: Bai et al. 2018 (https://arxiv.org/abs/1803.01271); LSTM: Hochreiter and Schmidhuber 1997;
patches: Nie et al. 2023 (https://arxiv.org/abs/2211.14730).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from .hyperparameters import SeriesFamily

HEADS: Final = 4
_KERNEL: Final = 3


class SeriesNet(nn.Module):
    """One of the families, and a linear layer over what it says of a window."""

    def __init__(self, shape: Mapping[str, Any], channels: int, steps: int, outputs: int) -> None:
        super().__init__()
        family: SeriesFamily = shape["family"]
        self.body = _FAMILIES[family](shape, channels, steps)
        self.head = nn.Linear(shape["width"], outputs)

    def forward(self, windows: Tensor) -> Tensor:
        """What is said of windows, float32, shape (rows, channels, time)."""
        said = self.head(self.body(windows))
        return said.squeeze(-1) if said.shape[1] == 1 else said


class TemporalConvolutions(nn.Module):
    """Residual blocks of two causal convolutions, each block looking twice as far back as the one before."""

    def __init__(self, shape: Mapping[str, Any], channels: int) -> None:
        super().__init__()
        width, dropout = shape["width"], shape["dropout_rate"]
        self.embed = nn.Conv1d(channels, width, 1)
        self.blocks = nn.ModuleList(_Causal(width, 2**place, dropout) for place in range(shape["blocks"]))

    def forward(self, windows: Tensor) -> Tensor:
        """What is known at the last step and in the mean, (rows, width)."""
        said = self.embed(windows)
        for block in self.blocks:
            said = block(said)
        return said[:, :, -1] + said.mean(dim=2)


class _Causal(nn.Module):
    """Two convolutions that see nothing later, added to what came in."""

    def __init__(self, width: int, apart: int, dropout: float) -> None:
        super().__init__()
        self.before = (_KERNEL - 1) * apart
        self.convolutions = nn.ModuleList(
            weight_norm(nn.Conv1d(width, width, _KERNEL, dilation=apart)) for _ in range(2)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, said: Tensor) -> Tensor:
        """The same shape."""
        made = said
        for convolution in self.convolutions:
            made = self.dropout(torch.relu(convolution(nn.functional.pad(made, (self.before, 0)))))
        return said + made


class Recurrent(nn.Module):
    """LSTM layers, one over the other; what the last says at the last step."""

    def __init__(self, shape: Mapping[str, Any], channels: int) -> None:
        super().__init__()
        layers = shape["blocks"]
        self.lstm = nn.LSTM(
            channels, shape["width"], layers, batch_first=True, dropout=shape["dropout_rate"] if layers > 1 else 0.0
        )

    def forward(self, windows: Tensor) -> Tensor:
        """(rows, width)."""
        return self.lstm(windows.transpose(1, 2))[0][:, -1]


class PatchTransformer(nn.Module):
    """A transformer over patches of steps, all channels of a patch side by side; the mean of what it says."""

    def __init__(self, shape: Mapping[str, Any], channels: int, steps: int) -> None:
        super().__init__()
        width, self.patch = shape["width"], min(shape["patch"], steps)
        self.patches = -(-steps // self.patch)
        self.embed = nn.Linear(channels * self.patch, width)
        self.places = nn.Parameter(torch.randn(self.patches, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, HEADS, 2 * width, shape["dropout_rate"], "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, shape["blocks"], enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, windows: Tensor) -> Tensor:
        """(rows, width)."""
        lacking = self.patches * self.patch - windows.shape[2]
        whole = nn.functional.pad(windows, (lacking, 0), mode="replicate")
        patches = whole.reshape(*windows.shape[:2], self.patches, self.patch).transpose(1, 2).flatten(2)
        return self.norm(self.layers(self.embed(patches) + self.places)).mean(dim=1)


def _tcn(shape: Mapping[str, Any], channels: int, steps: int) -> nn.Module:
    del steps
    return TemporalConvolutions(shape, channels)


def _lstm(shape: Mapping[str, Any], channels: int, steps: int) -> nn.Module:
    del steps
    return Recurrent(shape, channels)


_FAMILIES: Final[Mapping[SeriesFamily, Callable[[Mapping[str, Any], int, int], nn.Module]]] = {
    "tcn": _tcn, "lstm": _lstm, "patch-transformer": PatchTransformer,
}  # fmt: skip
