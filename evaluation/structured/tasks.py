"""Tasks whose answers have a structure: labels, orders, series, masks, tags; how their outcomes are measured.

Rows of one query, or tags of one sequence, belong together: `sampling.groups` says to which, and whole ones are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import ByClass, Curve, Series, TaskPerformance
from ..intervals import Measure
from ..resampling import Units, Weights
from . import forecasting, measures, multilabel, ranking, segmentation, sequences

if TYPE_CHECKING:
    from ..outcomes import Outcomes

Floats = npt.NDArray[np.float64]
PLACES: Final = 500
"""Places of a series that a report shows at most: the last ones."""


def labels(outcomes: Outcomes) -> TaskPerformance:
    return multilabel.score(outcomes.truth, outcomes.called, outcomes.chances)


def labels_measure(outcomes: Outcomes) -> Measure:
    truth, called = outcomes.truth.astype(bool), outcomes.called.astype(bool)
    return measures.of_labels(truth, called, outcomes.chances)


def labels_losses(outcomes: Outcomes) -> Floats:
    """The share of a row's labels that are wrong."""
    return outcomes.wrong.mean(axis=1)


def labels_parts(outcomes: Outcomes) -> dict[str, Any]:
    """F1 by label."""
    truth, called = outcomes.truth.astype(bool), outcomes.called.astype(bool)
    hits, either = (truth & called).sum(axis=0), truth.sum(axis=0) + called.sum(axis=0)
    names = tuple(map(str, outcomes.classes)) or tuple(f"label {place}" for place in range(truth.shape[1]))
    return {"by_class": {"f1": by_class(names, 2 * hits, either, truth.sum(axis=0))}}


def order(outcomes: Outcomes) -> TaskPerformance:
    return ranking.score(outcomes.truth, outcomes.called, _groups(outcomes, "query"))


def order_measure(outcomes: Outcomes) -> Measure:
    """Queries with nothing relevant are no part of any draw's means."""
    queries = _groups(outcomes, "query")
    relevant = np.bincount(queries, weights=outcomes.truth > 0) > 0
    figures = ranking.of_queries(ranking.by_query(outcomes.truth, outcomes.called, queries))
    return _by_unit(measures.of_queries(figures), _firsts(queries)[relevant])


def order_losses(outcomes: Outcomes) -> Floats:
    """How far the NDCG of a row's query lies below 1; 0 where nothing of it is relevant."""
    queries = _groups(outcomes, "query")
    relevant = np.bincount(queries, weights=outcomes.truth > 0) > 0
    losses = np.zeros(len(relevant))
    losses[relevant] = 1 - ranking.of_queries(ranking.by_query(outcomes.truth, outcomes.called, queries))[:, 0]
    return losses[queries]


def order_parts(outcomes: Outcomes) -> dict[str, Any]:
    """NDCG by how many places are looked at."""
    queries = list(ranking.by_query(outcomes.truth, outcomes.called, _groups(outcomes, "query")))
    places = range(1, ranking.FIRST + 1)
    means = (float(np.mean([ranking.ndcg(*query, place) for query in queries])) for place in places)
    return {"curves": {"ranking": Curve(tuple(map(float, places)), tuple(means))}}


def forecasts(outcomes: Outcomes) -> TaskPerformance:
    ends = None if outcomes.ends is None else (outcomes.ends[:, 0], outcomes.ends[:, 1])
    scored = forecasting.score(outcomes.truth, outcomes.called, interval=ends)
    return replace(scored, mase=scored.mae / outcomes.step) if scored.mae is not None and outcomes.step else scored


def forecasts_measure(outcomes: Outcomes) -> Measure:
    inside = None if outcomes.ends is None else forecasting.inside(outcomes.truth, *outcomes.ends.T)
    return measures.of_forecast(outcomes.truth, outcomes.called, outcomes.step, inside)


def forecasts_parts(outcomes: Outcomes) -> dict[str, Any]:
    """Truth and forecast over time."""
    begin = max(0, len(outcomes) - PLACES)
    places, (truth, forecast) = range(begin, len(outcomes)), (outcomes.truth[begin:], outcomes.called[begin:])
    ends = () if outcomes.ends is None else (tuple(each[begin:].tolist()) for each in outcomes.ends.T)
    series = Series(tuple(map(float, places)), tuple(truth.tolist()), tuple(forecast.tolist()), *ends)
    return {"series": series}


def masks(outcomes: Outcomes) -> TaskPerformance:
    return segmentation.score(outcomes.truth, outcomes.called)


def masks_measure(outcomes: Outcomes) -> Measure:
    return measures.of_masks(segmentation.overlaps(outcomes.truth, outcomes.called))


def masks_losses(outcomes: Outcomes) -> Floats:
    """The share of an image's pixels that are wrong."""
    return outcomes.wrong.reshape(len(outcomes), -1).mean(axis=1)


def masks_parts(outcomes: Outcomes) -> dict[str, Any]:
    """Dice by class: the mean over the images where either side has it."""
    found = segmentation.overlaps(outcomes.truth, outcomes.called)
    there = found.sizes > 0
    dice = np.divide(2.0 * found.both, found.sizes, out=np.zeros(there.shape), where=there).sum(axis=0)
    known = dict(enumerate(outcomes.classes))
    names = tuple(str(known.get(name, name)) for name in found.names)
    return {"by_class": {"dice": by_class(names, dice, there.sum(axis=0), found.true.sum(axis=0))}}


def tags(outcomes: Outcomes) -> TaskPerformance:
    return sequences.score(*_sides(outcomes))


def tags_measure(outcomes: Outcomes) -> Measure:
    return _by_unit(measures.of_sequences(*_sides(outcomes)), _firsts(_groups(outcomes, "sequence")))


def by_class(
    names: tuple[str, ...], parts: npt.NDArray[Any], wholes: npt.NDArray[Any], rows: npt.NDArray[Any]
) -> ByClass:
    """A quotient by class; None where the whole is 0. `rows` is how many truly are of each."""
    values = [float(part / whole) if whole else None for part, whole in zip(parts, wholes, strict=True)]
    return ByClass(names, tuple(values), tuple(map(int, rows.tolist())))


def _sides(outcomes: Outcomes) -> tuple[list[list[str]], list[list[str]]]:
    """The true and the predicted tags, sequence by sequence."""
    names = np.array(list(map(str, outcomes.classes)))
    owners = _groups(outcomes, "sequence")
    by_owner = np.argsort(owners, kind="stable")
    ends = np.cumsum(np.bincount(owners))[:-1]

    def side(codes: npt.NDArray[Any]) -> list[list[str]]:
        return [part.tolist() for part in np.split(names[codes[by_owner].astype(np.int64)], ends)]

    return side(outcomes.truth), side(outcomes.called)


def _groups(outcomes: Outcomes, what: str) -> Units:
    """What each row belongs to, counted from 0."""
    if outcomes.sampling.codes is None:
        raise Malformed(f"the task {outcomes.task!r} needs the {what} that each row belongs to; give it as groups")
    return outcomes.sampling.codes


def _firsts(codes: Units) -> Units:
    """The first row of each group; all rows of one have its weight."""
    return np.unique(codes, return_index=True)[1].astype(np.int64)


def _by_unit(measure: Measure, firsts: Units) -> Measure:
    """A measure of units as one of their rows; of a draw without any it knows nothing."""
    unknown = dict.fromkeys(measure(np.ones(len(firsts))), np.nan)

    def measured(weights: Weights) -> Mapping[str, float]:
        own = weights[firsts]
        return measure(own) if own.any() else unknown

    return measured
