"""A model of pictures: any of the families of nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy.typing as npt
from pydantic import BaseModel
from torch import Tensor, nn

from ...models.registry import register
from ..arrays import ArrayModel, ArrayPredictor, Stack
from ..examples import Examples, TensorExamples
from ..supervised import SupervisedModel
from .hyperparameters import Augment, ImageHyperparameters
from .nets import ImageNet
from .pictures import VariedPictures, pictures_of

if TYPE_CHECKING:
    from ..targets import Target


class ImagePredictor(ArrayPredictor):
    """A net over pictures, which are varied while it learns."""

    augment: Augment = "none"

    def examples(self, rows: Stack, targets: Tensor | None) -> Examples:
        """Pictures scaled by channel."""
        plain = cast("TensorExamples", super().examples(rows, targets))
        return plain if self.augment == "none" else VariedPictures(plain.inputs, plain.targets, self.augment)


@register("image-model")
class ImageModel(ArrayModel[ImageHyperparameters], SupervisedModel[Stack, ArrayPredictor, ImageHyperparameters]):
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
        return pictures_of(values, name)

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
