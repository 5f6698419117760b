"""The figures of masks: how far what was marked in images and what should be overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import SegmentationPerformance

Masks = npt.NDArray[np.int64]


def score(masks: npt.ArrayLike, predicted: npt.ArrayLike, background: int | None = 0) -> SegmentationPerformance:
    """Judge predicted masks against the true ones: whole numbers of shape (images, height, width), a class a pixel.

    Dice (1945) and Jaccard (1912) of each image and class, without `background`, where either side has the class; None
    where no image has any. Raises `Malformed` on no pixels, unequal shapes, or pixels that are no classes.
    """
    found = overlaps(masks, predicted, background)
    both, sizes = found.both, found.sizes
    every, whole = both.sum(axis=0, keepdims=True), sizes.sum(axis=0, keepdims=True)
    return SegmentationPerformance(
        dice=_mean(2 * both, sizes),
        iou=_mean(both, sizes - both),
        pixel_dice=_mean(2 * every, whole),
        pixel_iou=_mean(every, whole - every),
        pixel_accuracy=float(found.right.mean()),
        classes=found.classes,
        images=len(both),
        n=found.pixels,
    )


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How far masks overlap, image by image and class by class, the background left out."""

    names: tuple[int, ...]
    both: Masks
    """The pixels that both sides have, shape (images, names)."""
    sizes: Masks
    """The pixels of the two sides added, shape (images, names)."""
    true: Masks
    """The pixels that truly are of the class, shape (images, names)."""
    right: npt.NDArray[np.float64]
    """The share of each image's pixels that are right, shape (images,)."""
    classes: int
    """With the background."""
    pixels: int
    """Of all images."""


def overlaps(masks: npt.ArrayLike, predicted: npt.ArrayLike, background: int | None = 0) -> Overlaps:
    """How far masks overlap. Raises `Malformed` as `score` does."""
    truth, called = _checked(masks, "masks"), _checked(predicted, "predicted masks")
    if truth.shape != called.shape:
        raise Malformed(f"masks of shape {truth.shape} do not match predicted masks of shape {called.shape}")
    names, codes = np.unique(np.stack([truth, called]), return_inverse=True)
    true, given = codes.reshape(2, len(truth), -1)
    counts = np.stack([_counts(image, other, len(names)) for image, other in zip(true, given, strict=True)])
    named = names != background
    both, sizes, truly = (counts[:, place, named] for place in range(3))
    right = (true == given).mean(axis=1)
    return Overlaps(tuple(names[named].tolist()), both, sizes, truly, right, len(names), int(truth.size))


def _counts(true: Masks, given: Masks, classes: int) -> npt.NDArray[np.int64]:
    """Of each class the pixels of both sides, those of the two sides added, and the true ones; shape (3, classes)."""
    both, truly = np.bincount(true[true == given], minlength=classes), np.bincount(true, minlength=classes)
    return np.stack([both, truly + np.bincount(given, minlength=classes), truly])


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
