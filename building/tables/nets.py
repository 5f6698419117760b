"""The families of nets over tables, by their authors' own packages; each over features and codes of rows.

MLP, ResNet and FT-Transformer: Gorishniy et al. 2021 (https://arxiv.org/abs/2106.11959); TabM: Gorishniy et al. 2025
(https://arxiv.org/abs/2410.24210), over piecewise linear embeddings (https://arxiv.org/abs/2203.05556).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (these packages ship no types)

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...models.encoding import Layout
from ..extra import built_with
from .hyperparameters import Family

BINS: Final = 48
"""Of a piecewise linear embedding, at most."""


class TableNet(nn.Module):
    """One of the families: outputs of shape (rows,) or (rows, outputs), of TabM (rows, members) or with outputs."""

    def __init__(self, layout: Layout, outputs: int, shape: Mapping[str, Any]) -> None:
        super().__init__()
        family: Family = shape["family"]
        self.outputs = outputs
        self.shape = shape
        self.cardinalities = layout.cardinalities
        self.coded = family in ("ft-transformer", "tabm")
        self.net = _FAMILIES[family](layout, outputs, shape)

    def forward(self, features: Tensor, codes: Tensor) -> Tensor:
        """What is said of rows: `features` float32, shape (rows, numeric), `codes` int64, (rows, categories)."""
        if self.coded:
            said = self.net(features if features.shape[1] else None, codes if codes.shape[1] else None)
        else:
            hot = [functional.one_hot(codes[:, n], count) for n, count in enumerate(self.cardinalities)]
            said = self.net(torch.cat([features, *(each.to(features.dtype) for each in hot)], dim=1))
        return said.squeeze(-1) if self.outputs == 1 else said


def bins_of(features: Tensor) -> list[list[float]]:
    """The ends of the bins that embed each feature, from the training rows' features: TabM's shape needs them."""
    if not features.shape[1]:
        return []
    embeddings = built_with("rtdl_num_embeddings")
    varied = [bool(column.min() < column.max()) for column in features.T]
    if not all(varied):  # a column of one value has no bins of its own
        features = features.clone()
        features[0, [not each for each in varied]] += 1.0
    return [each.tolist() for each in embeddings.compute_bins(features, n_bins=min(BINS, len(features) - 1))]


def _mlp(layout: Layout, outputs: int, shape: Mapping[str, Any]) -> nn.Module:
    nets = built_with("rtdl_revisiting_models")
    return nets.MLP(
        d_in=layout.width, d_out=outputs, n_blocks=shape["blocks"], d_block=shape["width"],
        dropout=shape["dropout_rate"],
    )  # fmt: skip


def _resnet(layout: Layout, outputs: int, shape: Mapping[str, Any]) -> nn.Module:
    nets = built_with("rtdl_revisiting_models")
    return nets.ResNet(
        d_in=layout.width, d_out=outputs, n_blocks=shape["blocks"], d_block=shape["width"],
        d_hidden_multiplier=2.0, dropout1=shape["dropout_rate"], dropout2=0.0,
    )  # fmt: skip


def _transformer(layout: Layout, outputs: int, shape: Mapping[str, Any]) -> nn.Module:
    nets = built_with("rtdl_revisiting_models")
    return nets.FTTransformer(
        n_cont_features=layout.numeric, cat_cardinalities=layout.cardinalities, d_out=outputs, n_blocks=shape["blocks"],
        d_block=8 * -(-shape["width"] // 8), attention_n_heads=8, attention_dropout=shape["dropout_rate"],
        ffn_d_hidden_multiplier=4 / 3, ffn_dropout=shape["dropout_rate"] / 2, residual_dropout=0.0,
    )  # fmt: skip


def _tabm(layout: Layout, outputs: int, shape: Mapping[str, Any]) -> nn.Module:
    embeddings, tabm = built_with("rtdl_num_embeddings"), built_with("tabm")
    bins = [torch.tensor(ends) for ends in shape["bins"]]
    embedded = embeddings.PiecewiseLinearEmbeddings(bins, 16, activation=False, version="B") if bins else None
    return tabm.TabM.make(
        n_num_features=layout.numeric, cat_cardinalities=layout.cardinalities, d_out=outputs, num_embeddings=embedded,
        n_blocks=shape["blocks"], d_block=shape["width"], dropout=shape["dropout_rate"], k=shape["members"],
    )  # fmt: skip


_FAMILIES: Final[Mapping[Family, Callable[[Layout, int, Mapping[str, Any]], nn.Module]]] = {
    "mlp": _mlp, "resnet": _resnet, "ft-transformer": _transformer, "tabm": _tabm,
}  # fmt: skip
