"""Figures of labels, orders, series, masks and tags whose units count more or less often, for the bootstrap's draws.

A unit is what is independent: a row, a query, an image, a sequence. With every weight 1 they are the figures that
`multilabel`, `ranking`, `forecasting`, `segmentation` and `sequences` give, which tests hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..intervals import Measure
from ..measures import Codes, Floats, Ranking, of_classes
from ..resampling import Weights
from . import ranking
from .multilabel import Decisions
from .segmentation import Overlaps
from .sequences import entities, is_iob


def of_labels(truth: Decisions, called: Decisions, chances: Floats | None = None) -> Measure:
    """Figures of several labels a row; decisions and probabilities of shape (n, labels)."""
    hits, rows = truth & called, truth.astype(np.float64).sum(axis=1) + called.sum(axis=1)
    of_rows = _quotient(2.0 * hits.sum(axis=1), rows)
    exact, missed = (truth == called).all(axis=1), (truth != called).mean(axis=1)
    single = np.stack([exact, missed, of_rows]).astype(np.float64)
    ranked = [] if chances is None else _ranked(truth, chances)

    def measure(weights: Weights) -> Mapping[str, float]:
        right, called_so, true = (np.asarray(each, np.float64).T @ weights for each in (hits, called, truth))
        each = _quotient(2 * right, called_so + true)
        subset, hamming, samples = (single @ weights / weights.sum()).tolist()
        areas = [label.figures(weights) for label in ranked]
        means = {f"macro_{name}": _mean([area[name] for area in areas]) for name in ("roc_auc", "average_precision")}
        return {
            "subset_accuracy": subset,
            "hamming_loss": hamming,
            "micro_precision": _share(right.sum(), called_so.sum()),
            "micro_recall": _share(right.sum(), true.sum()),
            "micro_f1": _share(2 * right.sum(), called_so.sum() + true.sum()),
            "macro_f1": float(each.mean()),
            "weighted_f1": _share(np.dot(each, true), true.sum()),
            "samples_f1": samples,
            **(means if ranked else {}),
        }

    return measure


def of_queries(figures: Floats) -> Measure:
    """Means over queries, of the figures that `ranking.of_queries` gives, shape (queries, 7)."""

    def measure(weights: Weights) -> Mapping[str, float]:
        return dict(zip(ranking.FIGURES, (weights @ figures / weights.sum()).tolist(), strict=True))

    return measure


def of_forecast(
    truth: Floats, forecast: Floats, step: float | None = None, inside: npt.NDArray[np.bool_] | None = None
) -> Measure:
    """Errors of forecasts, shape (n,); `step` scales MASE, `inside` is which truths lie in their interval."""
    error = forecast - truth
    size = np.abs(truth) + np.abs(forecast)
    columns = {"mae": np.abs(error), "squared": error**2, "bias": error, "smape": _quotient(2 * np.abs(error), size)}
    if truth.all():
        columns["mape"] = np.abs(error / truth)
    if inside is not None:
        columns["coverage"] = inside.astype(np.float64)
    rows = np.stack(list(columns.values()))

    def measure(weights: Weights) -> Mapping[str, float]:
        means = dict(zip(columns, (rows @ weights / weights.sum()).tolist(), strict=True))
        scaled = {"mase": means["mae"] / step} if step else {}
        return {"rmse": float(np.sqrt(means.pop("squared"))), **means, **scaled}

    return measure


def of_masks(overlaps: Overlaps) -> Measure:
    """Overlaps over images; a class counts in an image where either side has it."""
    both, sizes = overlaps.both.astype(np.float64), overlaps.sizes.astype(np.float64)
    there = sizes > 0
    dice, iou = _quotient(2 * both, sizes), _quotient(both, sizes - both)
    sums = np.stack([dice.sum(axis=1), iou.sum(axis=1), there.sum(axis=1)])

    def measure(weights: Weights) -> Mapping[str, float]:
        dices, ious, classes = (sums @ weights).tolist()
        every, whole = weights @ both, weights @ sizes
        known = whole > 0
        return {
            "dice": dices / classes if classes else np.nan,
            "iou": ious / classes if classes else np.nan,
            "pixel_dice": _mean(_quotient(2 * every, whole)[known]),
            "pixel_iou": _mean(_quotient(every, whole - every)[known]),
            "pixel_accuracy": float(np.dot(overlaps.right, weights) / weights.sum()),
        }

    return measure


def of_sequences(tags: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]]) -> Measure:
    """Tags and whole spans over sequences, one predicted tag for each true one."""
    true, called = ([str(tag) for each in side for tag in each] for side in (tags, predicted))
    names, codes = np.unique(np.array([*true, *called]), return_inverse=True)
    lengths = [len(each) for each in tags]
    owners: Codes = np.repeat(np.arange(len(tags)), lengths)
    single = of_classes(codes[: len(true)], codes[len(true) :], len(names))
    exact = np.bincount(owners[codes[: len(true)] != codes[len(true) :]], minlength=len(tags)) == 0
    spans = _spans(tags, predicted) if is_iob(true) else None

    def measure(weights: Weights) -> Mapping[str, float]:
        of_tags = single(weights[owners])
        figures = {name: of_tags[name] for name in ("accuracy", "macro_f1", "weighted_f1")}
        figures["exact_match"] = float(np.dot(exact, weights) / weights.sum())
        if spans is None:
            return figures
        right, given, there = (spans @ weights).tolist()
        return figures | {
            "entity_precision": right / given if given else np.nan,
            "entity_recall": right / there if there else np.nan,
            "entity_f1": 2 * right / (given + there) if given + there else np.nan,
        }

    return measure


def _spans(tags: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]]) -> Floats:
    """Of each sequence the spans that are right, called and true; shape (3, sequences)."""
    sides = [[{*entities(0, list(map(str, each)))} for each in side] for side in (tags, predicted)]
    counts = [(len(true & given), len(given), len(true)) for true, given in zip(*sides, strict=True)]
    return np.array(counts, np.float64).T


def _ranked(truth: Decisions, chances: Floats) -> list[Ranking]:
    """The labels that some rows have and some have not, each sorted by its probability."""
    told = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    return [Ranking(truth[:, place].astype(np.float64), chances[:, place]) for place in told]


def _quotient(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _mean(values: Sequence[float] | Floats) -> float:
    """The mean of those that are defined; NaN where none is."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else np.nan
