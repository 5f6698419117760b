"""The figures of masks: how far what was marked in images and what should be overlap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import SegmentationPerformance

Masks = npt.NDArray[np.int64]


def score(masks: npt.ArrayLike, predicted: npt.ArrayLike, background: int | None = 0) -> SegmentationPerformance:
    """Judge predicted masks against the true ones: whole numbers of shape (images, height, width), a class a pixel.

    Dice (1945) and Jaccard (1912) of each image and class, without `background`, where either side has the class; None
    where no image has any. Raises `Malformed` on no pixels, unequal shapes, or pixels that are no classes.
    """
    truth, called = _checked(masks, "masks"), _checked(predicted, "predicted masks")
    if truth.shape != called.shape:
        raise Malformed(f"masks of shape {truth.shape} do not match predicted masks of shape {called.shape}")
    names, codes = np.unique(np.stack([truth, called]), return_inverse=True)
    shape = (len(truth), -1)
    true, given = codes.reshape(2, *shape)
    overlap = np.stack([_counts(image, other, len(names)) for image, other in zip(true, given, strict=True)])
    named = names != background
    both, sizes = overlap[:, 0, named], overlap[:, 1, named]
    dice, iou = _mean(2 * both, sizes), _mean(both, sizes - both)
    every, whole = both.sum(axis=0, keepdims=True), sizes.sum(axis=0, keepdims=True)
    return SegmentationPerformance(
        dice=dice,
        iou=iou,
        pixel_dice=_mean(2 * every, whole),
        pixel_iou=_mean(every, whole - every),
        pixel_accuracy=float((true == given).mean()),
        classes=len(names),
        images=len(truth),
        n=int(truth.size),
    )


def _counts(true: Masks, given: Masks, classes: int) -> npt.NDArray[np.int64]:
    """Of each class the pixels that both sides have, and the pixels of the two sides added; shape (2, classes)."""
    both = np.bincount(true[true == given], minlength=classes)
    return np.stack([both, np.bincount(true, minlength=classes) + np.bincount(given, minlength=classes)])


def _mean(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> float | None:
    there = whole > 0
    return float((part[there] / whole[there]).mean()) if there.any() else None


def _checked(masks: npt.ArrayLike, what: str) -> Masks:
    try:
        array = np.asarray(masks)
    except ValueError as error:
        raise Malformed(f"the {what} are not all of one size; judge images of one size at a time") from error
    if array.ndim != 3 or not array.size:
        raise Malformed(f"{what} to judge have shape {array.shape}; give images, height and width")
    if array.dtype.kind not in "bui" and not (array.dtype.kind == "f" and (np.mod(array, 1) == 0).all()):
        raise Malformed(f"{what} to judge must be whole numbers, a class for each pixel; cut probabilities first")
    return array.astype(np.int64)
