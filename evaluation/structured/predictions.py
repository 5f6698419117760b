"""Outcomes of labels, orders, series, masks and tags, made from what was predicted of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...datasets.tables import read_labels
from ...datasets.values.arrays import is_tensor, plain_array
from ...errors import Malformed
from ..outcomes import Outcomes
from ..resampling import Sampling
from . import forecasting, multilabel, ranking, segmentation, sequences

Read = Callable[[Any, Any, Any, "Sequence[Any] | None", Sampling], Outcomes]


def outcomes_of(
    task: str, labels: Any, predictions: Any, probabilities: Any, classes: Sequence[Any] | None, sampling: Sampling
) -> Outcomes:
    """Outcomes of a task of READERS.

    multilabel: 0 or 1 for each row and label, `classes` names the labels. ranking: relevance and scores, the groups of
    `sampling` are the queries. forecasting: numbers in time order, or a forecast, its lower and its upper end a row.
    segmentation: a class a pixel, `classes` names them from 0 on. sequence: a list of tags for each sequence.
    Raises `Malformed` where they do not fit the task.
    """
    return READERS[task](_held(labels), _held(predictions), _held(probabilities), classes, sampling)


def _labels(
    labels: Any, predictions: Any, probabilities: Any, classes: Sequence[Any] | None, sampling: Sampling
) -> Outcomes:
    truth, called = multilabel.decisions(labels, "labels"), multilabel.decisions(predictions, "predictions")
    if truth.shape != called.shape:
        raise Malformed(f"labels of shape {truth.shape} do not match predictions of shape {called.shape}")
    chances = None if probabilities is None else multilabel.checked_chances(probabilities, truth.shape)
    names = tuple(classes or ())
    if names and len(names) != truth.shape[1]:
        raise Malformed(f"{len(names)} classes name {truth.shape[1]} columns of labels; name each once")
    return Outcomes("multilabel", truth, called, chances, names, sampling=sampling)


def _order(relevance: Any, scores: Any, _: Any, __: Sequence[Any] | None, sampling: Sampling) -> Outcomes:
    if sampling.groups is None:
        raise Malformed("a ranking is judged by query; give the query that each row belongs to as groups")
    for _query in ranking.by_query(relevance, scores, sampling.groups):
        pass
    return Outcomes("ranking", np.asarray(relevance, float), np.asarray(scores, float), sampling=sampling)


def _series(truth: Any, forecast: Any, _: Any, __: Sequence[Any] | None, sampling: Sampling) -> Outcomes:
    if np.ndim(forecast) != 2:
        return Outcomes("forecasting", *forecasting.checked(_numbers(truth), _numbers(forecast)), sampling=sampling)
    told = np.asarray(forecast)
    if told.shape[1] != 3:
        raise Malformed(f"a forecast has {told.shape[1]} columns; give one, or three: forecast, lower and upper end")
    true, given = forecasting.checked(_numbers(truth), told[:, 0])
    forecasting.inside(true, told[:, 1], told[:, 2])
    return Outcomes("forecasting", true, given, sampling=sampling, ends=told[:, 1:].astype(np.float64))


def _masks(masks: Any, predicted: Any, _: Any, classes: Sequence[Any] | None, sampling: Sampling) -> Outcomes:
    segmentation.overlaps(masks, predicted)
    truth, called = np.asarray(masks).astype(np.int64), np.asarray(predicted).astype(np.int64)
    return Outcomes("segmentation", truth, called, classes=tuple(classes or ()), sampling=sampling)


def _tags(tags: Any, predicted: Any, _: Any, __: Sequence[Any] | None, sampling: Sampling) -> Outcomes:
    if sampling.groups is not None or sampling.block is not None or sampling.stratified:
        raise Malformed("tags are drawn by whole sequences; leave groups, block and stratified out")
    sequences.check(tags, predicted)
    true, called = ([str(tag) for each in side for tag in each] for side in (tags, predicted))
    if not true:
        raise Malformed("no tags to judge; give at least one sequence with one")
    names, codes = np.unique(np.array([*true, *called]), return_inverse=True)
    owners = np.repeat(np.arange(len(tags)), [len(each) for each in tags])
    sides = codes[: len(true)], codes[len(true) :]
    return Outcomes("sequence", *sides, classes=tuple(names.tolist()), sampling=Sampling(owners))


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    return read_labels(values, len(values)).as_kind("number").values.astype(np.float64)


def _held(values: Any) -> Any:
    """What a tensor on whichever device holds; anything else as it came."""
    return plain_array(values, "the tensor") if is_tensor(values) else values


READERS: Final[Mapping[str, Read]] = {
    "multilabel": _labels,
    "ranking": _order,
    "forecasting": _series,
    "segmentation": _masks,
    "sequence": _tags,
}


def told_apart(outcomes: Outcomes, labels: Any) -> Any:
    """Labels as rows are known by: as they are, and where a row has several values, one text that stands for them."""
    match outcomes.task:
        case "multilabel" | "segmentation":
            rows = np.ascontiguousarray(outcomes.truth, np.float64)
            return [sha256(f"{row.shape}".encode() + row.tobytes()).hexdigest() for row in rows]
        case "sequence":
            return [json.dumps([str(tag) for tag in tags], ensure_ascii=False) for tags in labels]
        case _:
            return labels
