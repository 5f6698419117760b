"""A model of masks: what each pixel of a picture is, by a U-Net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel
from torch import Tensor, nn
from torch.nn import functional

from ...datasets.columns import Column
from ...errors import Malformed
from ...evaluation.outcomes import Outcomes
from ...evaluation.resampling import Sampling
from ...models.registry import register
from ..arrays import ArrayModel, ArrayPredictor, Stack
from ..examples import Batch, Examples, TensorExamples
from ..objective import Loss
from ..targets import Target, TrainedTask
from .hyperparameters import Augment, SegmentationHyperparameters
from .pictures import pictures_of, varied
from .unet import UNet


@dataclass(frozen=True)
class MaskTarget(Target):
    """The class of each pixel: a whole number, of which 0 is the background."""

    @classmethod
    def of_masks(cls, labels: Column) -> MaskTarget:
        """The classes that occur. Raises `Malformed` where labels are no masks, or all pixels are of one class."""
        classes = tuple(np.unique(_masks(labels)).tolist())
        if len(classes) < 2:
            raise Malformed("all pixels of the masks are of one class; give masks of at least two")
        return cls("segmentation", classes)

    @property
    def outputs(self) -> int:
        """A class each."""
        return len(self.classes)

    def coded(self, labels: Column) -> Tensor:
        """The place of each pixel's class among the classes, int64, shape (rows, height, width)."""
        return torch.from_numpy(self.codes(labels))

    def codes(self, labels: Column) -> npt.NDArray[np.int64]:
        """As `coded`. Raises `Malformed` on a class that was never learnt."""
        masks, known = _masks(labels), np.array(self.classes)
        codes = np.searchsorted(known, masks).clip(max=len(known) - 1)
        if (known[codes] != masks).any():
            raise Malformed(f"masks have pixels of none of the {len(known)} classes that the model learnt; map them")
        return codes.astype(np.int64)


@dataclass(frozen=True)
class MaskedPictures(TensorExamples):
    """Pictures and their masks, which are varied together while they are learnt from."""

    how: Augment = "none"

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The pictures at these places and the classes of their pixels."""
        (pictures,), masks = super().batch(places, learning=learning)
        if not learning or self.how == "none":
            return Batch((pictures,), masks)
        both = varied(torch.cat([pictures, masks[:, None].to(pictures)], dim=1), self.how)
        return Batch((both[:, :-1],), both[:, -1].long())


class MaskPredictor(ArrayPredictor):
    """A net that says what each pixel is."""

    augment: Augment = "none"

    def target(self, task: TrainedTask) -> Target:
        """The classes of pixels."""
        return MaskTarget(task, super().target(task).classes)

    def examples(self, rows: Stack, targets: Tensor | None) -> Examples:
        """Pictures scaled by channel, and their masks."""
        (pictures,), _ = cast("TensorExamples", super().examples(rows, None)).batch(
            torch.arange(rows.rows), learning=False
        )
        masks = torch.zeros(rows.rows, 1, 1) if targets is None else targets
        return MaskedPictures((pictures,), masks, self.augment)


@register("segmentation-model")
class SegmentationModel(ArrayModel[SegmentationHyperparameters]):
    """Predicts the class of each pixel of a picture.

    `data` is as `ImageModel` has it, labels are masks: whole numbers, shape (pictures, height, width), 0 the
    background.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = SegmentationHyperparameters
    TASK: ClassVar[str] = "segmentation"
    WHAT: ClassVar[str] = "pictures"
    PREDICTOR: ClassVar[type[ArrayPredictor]] = MaskPredictor

    def predict(self, data: Any) -> npt.NDArray[np.int64]:
        """The class of each pixel, shape (pictures, height, width)."""
        return np.array(self.target.classes)[self._called(self._asked_about(data))]

    @classmethod
    def _channels_first(cls, values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        return pictures_of(values, name)

    @classmethod
    def _net(cls, shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
        return UNet(shape, example[0], outputs)

    def _shape_of(self, plan: SegmentationHyperparameters) -> dict[str, Any]:
        return {"blocks": plan.blocks, "dropout_rate": plan.dropout_rate, "width": plan.width}

    def _predictor(self, plan: SegmentationHyperparameters, target: Target, rows: Stack) -> ArrayPredictor:
        predictor = super()._predictor(plan, target, rows)
        cast("MaskPredictor", predictor).augment = plan.augment
        return predictor

    def _examine(self, rows: Stack, labels: Column) -> None:
        masks = _masks(labels)
        if masks.shape[1:] != rows.shape[1:]:
            sizes = (" × ".join(map(str, each)) for each in (masks.shape[1:], rows.shape[1:]))
            raise Malformed("masks are of {} pixels and pictures of {}; give a class a pixel".format(*sizes))

    def _asked(self, plan: SegmentationHyperparameters, labels: Column) -> Target:
        del plan
        return MaskTarget.of_masks(labels)

    def _loss(self, plan: SegmentationHyperparameters, target: Target, labels: Column) -> Loss:
        del plan, target, labels
        return overlap

    def _called(self, rows: Stack) -> npt.NDArray[np.int64]:
        """The code of each pixel's class, shape (pictures, height, width)."""
        return self._outputs(rows).argmax(dim=1).numpy()

    def _outcomes(self, rows: Stack, labels: Column, sampling: Sampling | None) -> Outcomes:
        self._examine(rows, labels)
        classes = np.array(self.target.classes)
        truth, called = (classes[codes] for codes in (self.target.codes(labels), self._called(rows)))
        return Outcomes("segmentation", truth, called, sampling=sampling or Sampling())


def overlap(outputs: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of a picture's pixels and the share that soft masks do not overlap (Milletari et al. 2016), the
    mean over all classes, shape (rows,); of logits (rows, classes, height, width)."""
    entropy = functional.cross_entropy(outputs, masks, reduction="none").mean(dim=(1, 2))
    chances = outputs.softmax(dim=1)
    truth = functional.one_hot(masks, outputs.shape[1]).permute(0, 3, 1, 2).to(chances)
    both, sizes = (chances * truth).sum(dim=(2, 3)), (chances + truth).sum(dim=(2, 3))
    return entropy + 1.0 - ((2.0 * both + 1.0) / (sizes + 1.0)).mean(dim=1)


def _masks(labels: Column) -> npt.NDArray[Any]:
    if labels.kind != "array" or labels.values.ndim != 3:
        raise Malformed("the labels are no masks; give a whole number a pixel, of shape pictures × height × width")
    if labels.values.dtype.kind == "f" and (np.mod(labels.values, 1) != 0).any():
        raise Malformed("masks hold fractions where a class belongs; cut them into whole numbers first")
    return labels.values.astype(np.int64)
