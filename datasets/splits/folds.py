"""Folds: several splits of the same rows, so that each part is judged by what was learnt from others."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (scikit-learn ships no types)

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..columns import Column
from .places import SplitRows, group_codes, moment_codes
from .split import column_apart, places_of


def folds(
    labels: Column,
    apart: Mapping[str, Column],
    *,
    count: int,
    groups: str | None,
    time: str | None,
    seed: int,
    strata: npt.NDArray[Any] | None,
) -> tuple[SplitRows, ...]:
    """So many splits of rows: alike of each stratum, in whole `groups`, or each judged by what came before it in time.

    A `count` of 1 is a single split that holds a fifth out. Raises `Malformed` where a column that was named is not
    `apart`, or has fewer values than there are to be folds.
    """
    if count == 1:
        return (places_of(labels, apart, held_out=0.2, groups=groups, time=time, seed=seed, strata=strata),)
    if groups is not None:
        return _whole(group_codes(column_apart(groups, apart), count), count, seed, strata)
    if time is not None:
        return _later(moment_codes(column_apart(time, apart), count + 1), count)
    return _drawn(len(labels.values), count, seed, strata)


def _drawn(rows: int, count: int, seed: int, strata: npt.NDArray[Any] | None) -> tuple[SplitRows, ...]:
    from sklearn.model_selection import KFold, StratifiedKFold

    if strata is None or np.bincount(strata).max() < count:
        return _parts(KFold(count, shuffle=True, random_state=seed).split(np.zeros(rows)))
    return _parts(StratifiedKFold(count, shuffle=True, random_state=seed).split(np.zeros(rows), strata))


def _whole(
    group_of: npt.NDArray[np.int64], count: int, seed: int, strata: npt.NDArray[Any] | None
) -> tuple[SplitRows, ...]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    rows = np.zeros(len(group_of))
    if strata is None or np.bincount(strata).max() < count:
        return _parts(GroupKFold(count, shuffle=True, random_state=seed).split(rows, groups=group_of))
    return _parts(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(rows, strata, group_of))


def _later(moment_of: npt.NDArray[np.int64], count: int) -> tuple[SplitRows, ...]:
    from sklearn.model_selection import TimeSeriesSplit

    parts = _parts(TimeSeriesSplit(count).split(np.zeros(moment_of.max() + 1)))
    return tuple(
        SplitRows(np.flatnonzero(np.isin(moment_of, learn)), np.flatnonzero(np.isin(moment_of, held)))
        for learn, held in parts
    )


def _parts(splits: Any) -> tuple[SplitRows, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a class has fewer rows than folds, which is told elsewhere
        return tuple(SplitRows(learn, held) for learn, held in splits)
