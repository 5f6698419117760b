"""Scales on which the error of a figure is nearly normal, so that an interval of few rows keeps its level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHARES: Final = frozenset(
    (
        "accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "hamming_loss", "exact_match",
        "ndcg", "mrr", "map", "hit_rate", "dice", "iou", "coverage",
    )
)  # fmt: skip
"""Figures from 0 to 1: on logits, as for ROC AUC (Pepe 2003) and average precision (Boyd, Eng and Page 2013)."""
LOSSES: Final = frozenset(("brier", "log_loss", "rmse", "mae", "mape", "smape", "mase"))
"""Figures above 0 without an upper end: on logarithms."""
WITHOUT: Final = frozenset(("ks", "ece", "max_error"))
"""Greatest gaps and sums of absolute gaps: above 0 by chance alone, and draws of the rows are so twice over."""
_GROUPS: Final = {"average_precision": 50, "rmse": 1000}
_OF_WHAT: Final = ("balanced_", "macro_", "micro_", "weighted_", "samples_", "subset_", "pixel_", "entity_")


class Scale(NamedTuple):
    """There and back again; what has no place on the scale is infinite there."""

    there: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]


def least_groups(figure: str) -> int:
    """Of how many groups of one size at least the interval of a figure is honest, where whole groups are drawn.

    As counted: a few groups with great errors decide on a loss, on squared ones even among 200 (92 % coverage), and a
    few with many positive rows on average precision.
    """
    name = _plain(figure)
    if name in _GROUPS:
        return _GROUPS[name]
    return 2 if name in SHARES or name == "gini" else 20


def scale_of(figure: str) -> Scale | None:
    """The scale of a figure by its name, its own where it is not known; None where no interval is honest."""
    name = _plain(figure)
    if name in WITHOUT:
        return None
    if name in SHARES:
        return Scale(_logit, _share)
    if name in LOSSES:
        return Scale(np.log, np.exp)
    return _OTHERS.get(name, Scale(np.asarray, np.asarray))


def _plain(figure: str) -> str:
    """The name without what it was averaged over."""
    name = figure.removesuffix("_at_10")
    for prefix in _OF_WHAT:
        name = name.removeprefix(prefix)
    return name


def _logit(share: Floats) -> Floats:
    return np.log(share) - np.log1p(-share)


def _share(logit: Floats) -> Floats:
    return 1 / (1 + np.exp(-logit))


def _of_gini(gini: Floats) -> Floats:
    """Gini is 2 ROC AUC - 1."""
    return _logit((1 + gini) / 2)


def _gini(logit: Floats) -> Floats:
    return 2 * _share(logit) - 1


def _of_r2(r2: Floats) -> Floats:
    """What is unexplained is above 0 without an upper end."""
    return -np.log(1 - r2)


def _r2(logarithm: Floats) -> Floats:
    return 1 - np.exp(-logarithm)


_OTHERS: Final = {
    "gini": Scale(_of_gini, _gini),
    "r2": Scale(_of_r2, _r2),
}
