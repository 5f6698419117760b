"""A model of pictures: any of the families of nets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy.typing as npt
import torch
from pydantic import BaseModel
from torch import Tensor, nn

from ...errors import Malformed
from ...models.registry import register
from ..arrays import ArrayModel, ArrayPredictor, Stack
from ..examples import Batch, Examples, TensorExamples
from .hyperparameters import ImageHyperparameters
from .nets import ImageNet

if TYPE_CHECKING:
    from ..targets import Target

CHANNELS = 4
"""At most, of a picture: grey, grey and transparency, colours, colours and transparency."""


@dataclass(frozen=True)
class VariedPictures(TensorExamples):
    """Pictures that are moved a little, and perhaps mirrored, each time that they are learnt from."""

    how: Literal["shift", "flip"] = "shift"

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The pictures at these places; where they are learnt from, each moved by up to an eighth of its sides."""
        (pictures,), targets = super().batch(places, learning=learning)
        return Batch((self._varied(pictures) if learning else pictures,), targets)

    def _varied(self, pictures: Tensor) -> Tensor:
        rows, _, height, width = pictures.shape
        most = (height // 8, width // 8)
        padded = nn.functional.pad(pictures, (most[1], most[1], most[0], most[0]), mode="replicate")
        down, right = (torch.randint(0, 2 * each + 1, (rows, 1)) for each in most)
        down, right = down + torch.arange(height), right + torch.arange(width)
        if self.how == "flip":
            right = torch.where(torch.rand(rows, 1) < 0.5, right, right.flip(1))
        row = torch.arange(rows)[:, None, None]
        return padded[row, :, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2).contiguous()


class ImagePredictor(ArrayPredictor):
    """A net over pictures, which are varied while it learns."""

    augment: Literal["none", "shift", "flip"] = "none"

    def examples(self, rows: Stack, targets: Tensor | None) -> Examples:
        """Pictures scaled by channel."""
        plain = cast("TensorExamples", super().examples(rows, targets))
        return plain if self.augment == "none" else VariedPictures(plain.inputs, plain.targets, self.augment)


@register("image-model")
class ImageModel(ArrayModel[ImageHyperparameters]):
    """Predicts two classes, several, or a number of a picture.

    `data` is an array of shape (pictures, height, width), (pictures, height, width, channels) or (pictures, channels,
    height, width), of bytes or floats, or a column of such arrays; at most 4 channels. The family is `cnn`, `resnet`,
    `vit`, or `timm:NAME`, whose published weights are taken where `pretrained` says so.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = ImageHyperparameters
    WHAT: ClassVar[str] = "pictures"
    PREDICTOR: ClassVar[type[ArrayPredictor]] = ImagePredictor

    @classmethod
    def _channels_first(cls, values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
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

    @classmethod
    def _net(cls, shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
        return ImageNet(shape, example, outputs)

    def _new_net(self, plan: ImageHyperparameters, example: tuple[int, ...], outputs: int) -> nn.Module:
        return ImageNet(self._shape_of(plan), example, outputs, pretrained=plan.pretrained)

    def _shape_of(self, plan: ImageHyperparameters) -> dict[str, Any]:
        return {
            "blocks": plan.blocks, "dropout_rate": plan.dropout_rate, "family": plan.family, "width": plan.width,
        }  # fmt: skip

    def _predictor(self, plan: ImageHyperparameters, target: Target, rows: Stack) -> ArrayPredictor:
        predictor = super()._predictor(plan, target, rows)
        cast("ImagePredictor", predictor).augment = plan.augment
        return predictor
