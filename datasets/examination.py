"""The examination of rows before they are learnt from: columns that identify a row or give its label away."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import DataWarning
from .columns import Column, Table
from .pandas_index import check_names
from .tables import read_labels, read_table

FEWEST: Final = 20
"""Rows below which nothing is said of a column: chance alone makes few values differ, or go with the label."""
ALMOST: Final = 0.99
"""The share of each class that a column alone must tell to be called suspicious."""
_SAMPLE: Final = 100_000
_BINS: Final = 64
_CLASSES: Final = 50
"""Labels of more values are quantities."""


def examine(data: Any, labels: Any) -> None:
    """Warn, as `DataWarning`, of columns that no honest model learns from. Raises `Malformed` for ones without a name.

    That is a column with another value in every row, as an identifier has, and one that tells the label alone.
    """
    table = read_table(data)
    column = read_labels(labels, table.rows)
    check_names([name for name, _ in table.schema])
    for remark in remarks(table, column):
        warnings.warn(remark, DataWarning, stacklevel=3)


@contextmanager
def noted() -> Generator[list[str]]:
    """What is warned of meanwhile, in the order said; nothing of it is shown here."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        yield said
    for each in caught:
        if issubclass(each.category, DataWarning):
            said.append(str(each.message))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def remarks(table: Table, labels: Column) -> Iterator[str]:
    """What is suspicious about the columns, a sentence each, without a value of them."""
    if labels.kind == "array":  # of which a column tells nothing that could be seen so
        return
    truth, quantity = _truth(labels)
    smallest = 0 if quantity else int(np.bincount(truth).min())
    if not quantity and smallest < 2:
        yield "a class has a single row, so it is learnt or judged, never both; give more rows of it"
    if table.rows < FEWEST:
        return
    some = slice(None, None, -(-table.rows // _SAMPLE))
    for column in table.columns:
        if column.kind == "array":
            continue
        if _identifies(column):
            yield (f"column {column.name!r} has another value in every row, as an identifier has; drop it if it is one")
        elif _tells(column.values[some], column.kind == "category", truth[some], quantity):
            yield (
                f"column {column.name!r} alone predicts the label almost perfectly; if it is known only once the label "
                "is, drop it"
            )


def _truth(labels: Column) -> tuple[npt.NDArray[Any], bool]:
    """Classes by their place, or the values of a quantity; and which it is."""
    classes, places = np.unique(labels.values, return_inverse=True)
    quantity = labels.kind != "category" and (len(classes) > _CLASSES or bool((classes % 1).any()))
    return (labels.values, True) if quantity else (places, False)


def _identifies(column: Column) -> bool:
    """Whether no two rows share a text, or a whole number; other numbers differ by nature, and dates tell a time."""
    known = column.values[~column.missing]
    if column.kind == "date" or len(known) < FEWEST or (column.kind == "number" and (known % 1).any()):
        return False
    return len(np.unique(known)) == len(known)


def _tells(values: npt.NDArray[Any], categories: bool, truth: npt.NDArray[Any], quantity: bool) -> bool:
    """Whether the values tell the label: the ranks of a quantity, or at least `ALMOST` of each class."""
    if quantity:
        known = np.ones(len(values), bool) if categories else ~np.isnan(values)
        return not categories and known.sum() >= FEWEST and _rank_correlation(values[known], truth[known]) > 0.999
    counts = np.bincount(truth)
    if len(counts) < 2 or counts.min() < 5:
        return False
    levels = values if categories else _binned(values)
    _, places = np.unique(levels, return_inverse=True)
    if _balanced(places, truth) >= ALMOST:
        return True
    if categories or len(counts) != 2:
        return False
    known = ~np.isnan(values)
    return len(np.unique(truth[known])) == 2 and abs(_auc(values[known], truth[known]) - 0.5) >= ALMOST - 0.5


def _binned(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers as so many bins of nearly equal counts, where they have more values than that; gaps are one more."""
    known = values[~np.isnan(values)]
    if len(np.unique(known)) <= _BINS:
        return np.nan_to_num(values, nan=np.inf)
    edges = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])
    return np.where(np.isnan(values), -1, np.searchsorted(edges, values))


def _balanced(places: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """The mean share of each class that is told by the commonest label among the other rows of the same value."""
    counts = np.zeros((places.max() + 1, truth.max() + 1))
    np.add.at(counts, (places, truth), 1)
    others = counts[places]
    others[np.arange(len(truth)), truth] -= 1
    right = (others.argmax(axis=1) == truth) & (others.max(axis=1) > 0)
    return float((np.bincount(truth, right) / np.bincount(truth)).mean())


def _auc(values: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    positives = int(truth.sum())
    pairs = positives * (len(truth) - positives)
    return float((_ranks(values)[truth == 1].sum() - positives * (positives + 1) / 2) / pairs)


def _rank_correlation(values: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """Spearman's, without its sign; 0 where nothing varies."""
    one, two = _ranks(values), _ranks(truth)
    return 0.0 if not one.std() or not two.std() else abs(float(np.corrcoef(one, two)[0, 1]))


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Ranks from 1, equal values sharing theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
