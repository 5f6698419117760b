"""The figures of a model that orders what belongs to each query: documents, products, answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import RankingPerformance
from ..cells import codes_of
from ..probabilities import read_numbers
from ..resampling import as_given, check_complete

Floats = npt.NDArray[np.float64]
Query = tuple[Floats, Floats]
"""Relevance and scores of what belongs to it."""
FIRST: Final = 10
"""How many places `_at_10` looks at."""
FIGURES: Final = ("ndcg", "ndcg_at_10", "mrr", "map", "precision_at_10", "recall_at_10", "hit_rate_at_10")


def score(relevance: npt.ArrayLike, scores: npt.ArrayLike, queries: npt.ArrayLike) -> RankingPerformance:
    """Judge scores, higher first, against graded relevance of at least 0; each of shape (n,), as `queries` is.

    Rows of equal score share their places: each figure is the mean over all their orders for NDCG (McSherry and Najork
    2008, as scikit-learn), and places the less relevant first for the others, so that a constant score gains nothing.
    Queries with nothing relevant are left out. Raises `Malformed` on unequal lengths, what is no finite number,
    negative relevance, or where no query has anything relevant.
    """
    figures = of_queries(by_query(relevance, scores, queries))
    means = figures.mean(axis=0).tolist()
    return RankingPerformance(*means, queries=len(figures), n=int(np.size(np.asarray(scores))))


def of_queries(queries: Iterable[Query]) -> Floats:
    """The FIGURES of each query, shape (queries, 7). Raises `Malformed` where there is no query."""
    figures = np.array([_figures(*query) for query in queries])
    if not len(figures):
        raise Malformed("no query has anything relevant, so there is nothing to rank first; label at least one row")
    return figures


def _figures(gains: Floats, scores: Floats) -> tuple[float, ...]:
    relevant = gains[np.lexsort((gains, -scores))] > 0  # of equal scores the less relevant first
    places = np.flatnonzero(relevant) + 1
    first = int(relevant[:FIRST].sum())
    return (
        ndcg(gains, scores, len(gains)),
        ndcg(gains, scores, FIRST),
        1 / places[0],
        float((np.arange(1, len(places) + 1) / places).mean()),
        first / FIRST,
        first / len(places),
        float(first > 0),
    )


def ndcg(gains: Floats, scores: Floats, first: int) -> float:
    """Gain of the `first` places, discounted, by that of the best order; rows of equal score share their gain."""
    discounts = 1 / np.log2(np.arange(2, len(gains) + 2))
    discounts[first:] = 0
    _, level = np.unique(-scores, return_inverse=True)
    means = np.bincount(level, weights=gains) / np.bincount(level)
    gained = np.dot(means[np.sort(level)], discounts)
    return float(gained / np.dot(np.sort(gains)[::-1], discounts))


def by_query(relevance: npt.ArrayLike, scores: npt.ArrayLike, queries: npt.ArrayLike) -> Iterator[Query]:
    """Relevance and scores of each query that has anything relevant, in the order of the queries' names.

    Raises `Malformed` as `score` does.
    """
    gains, values, names = (
        read_numbers(relevance, "grades of relevance"),
        read_numbers(scores, "scores"),
        as_given(queries),
    )
    if gains.ndim != 1 or not (gains.shape == values.shape == names.shape):
        raise Malformed(
            f"relevance, scores and queries have shapes {gains.shape}, {values.shape} and {names.shape};"
            " give one of each a row"
        )
    if not (np.isfinite(gains).all() and np.isfinite(values).all()):
        raise Malformed("relevance and scores to judge must be finite numbers; NaN is none")
    if (gains < 0).any():
        raise Malformed("relevance to judge must not be negative; 0 is not relevant at all")
    check_complete(names, "query")
    _, codes = codes_of(names)
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(codes))[:-1]) if len(order) else ():
        if gains[rows].any():
            yield gains[rows], values[rows]
