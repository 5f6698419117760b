"""Labelled rows in two parts: those to learn from, and those held out to judge by."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ..columns import Column
from ..read import labelled
from ..selection import ALL
from ..tables import labelled_table, parted, read_labels
from .places import SplitRows, split_groups, split_rows, split_time

_FEW: Final = 20
"""Labels of at most so many values are held out alike of each."""


class LabelledPart(NamedTuple):
    """Rows, an Arrow table, and their labels, its column."""

    data: Any
    labels: Any


class RowsSplit(NamedTuple):
    """Both parts, each in the order of the rows; and where the rows of each stood."""

    learn: LabelledPart
    held: LabelledPart
    places: SplitRows


def split(
    data: Any, labels: Any, *, held_out: float = 0.2, groups: str | None = None, time: str | None = None, seed: int = 0
) -> RowsSplit:
    """Hold a share of labelled rows out: by the seed, in whole `groups`, or the latest by `time`.

    `data` is a file's path or rows in memory, `labels` the name of its column of labels, or values of their own. By
    the seed alone it is alike of each class. Rows of one value of the column `groups` are all on one side; of the
    column `time` (numbers or dates) no held-out row is before a learnt one, and rows of one time stay together. That
    column is in neither part, for it tells nothing of new groups or of later times. Raises `Malformed` where there is
    no such column, or rows cannot be parted by it.
    """
    if not 0 < held_out < 1:
        raise Malformed(f"held_out is a share of the rows between 0 and 1, not {held_out}")
    if groups is not None and time is not None:
        raise Malformed("rows are split by groups or by time; give one of them")
    table, label = _table(data, labels)
    _, apart = parted(table.drop_columns([label]), {name for name in (groups, time) if name is not None})
    column = read_labels(table.column(label), table.num_rows)
    places = places_of(column, apart, held_out=held_out, groups=groups, time=time, seed=seed, strata=_strata(column))
    features = table.drop_columns([label, *apart])
    learn, held = (LabelledPart(features.take(part), table.column(label).take(part)) for part in places)
    return RowsSplit(learn, held, places)


def places_of(
    labels: Column,
    apart: Mapping[str, Column],
    *,
    held_out: float,
    groups: str | None,
    time: str | None,
    seed: int,
    strata: npt.NDArray[Any] | None,
) -> SplitRows:
    """Which rows are held out, by the columns that were set `apart`. Raises `Malformed` where the one is not there."""
    name = groups or time
    if name is None:
        return split_rows(len(labels.values), held_out, seed, strata)
    column = column_apart(name, apart)
    return split_groups(column, held_out, seed) if groups else split_time(column, held_out)


def column_apart(name: str, apart: Mapping[str, Column]) -> Column:
    """The column that rows are split by. Raises `Malformed` where there is none of that name."""
    if name not in apart:
        raise Malformed(f"the data has no column {name!r} to split the rows by; name one that it has")
    return apart[name]


def _table(data: Any, labels: Any) -> tuple[Any, str]:
    if not isinstance(data, str | PathLike):
        table, label = labelled_table(data, labels, ALL)
        return table, cast("str", label)
    if not isinstance(labels, str):
        raise Malformed("the labels of a file are the name of its column; give it")
    rows, column = labelled(fspath(cast("str", data)), labels)
    return rows.append_column(labels, column), labels


def _strata(labels: Column) -> npt.NDArray[Any] | None:
    """What classes are held out alike of; None for numbers."""
    few = len(np.unique(labels.values)) <= _FEW
    return labels.values if labels.kind == "category" or few else None
