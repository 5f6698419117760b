"""Rows as an estimator reads them: a frame where it learnt one, its columns found by their names; else an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from ...datasets.columns import Column, Table
from ...datasets.selection import listed
from ...datasets.tables import read_table
from ...errors import Malformed
from .libraries import needed


def rows_for(data: Any, names: Sequence[str] | None, *, categories: bool, spaces: str = " ") -> Any:
    """Rows for an estimator that learnt columns of these names, None where it learnt an array.

    Arrays, lists and sparse matrices are left to the estimator. Where it reads `categories` (XGBoost, LightGBM), text
    is given as pandas' category; `spaces` is what it writes for a space in a name. Raises `Malformed` naming columns
    that are lacking.
    """
    held = data if _is_frame(data) else _framed(data) if names is not None else _array(data)
    if names is None or not _is_frame(held):
        return held
    present = [str(each) for each in held.columns]
    places = {each.replace(" ", spaces): place for place, each in enumerate(present)}
    places |= {each: place for place, each in enumerate(present)}
    if lacking := [name for name in names if name not in places]:
        raise Malformed(
            f"the data lacks column {listed(lacking)}, which the estimator learnt; it has {listed(present)}"
        )
    wanted = [places[name] for name in names]
    frame = held if wanted == [*range(len(present))] else held.iloc[:, wanted]
    if categories:
        kinds = frame.dtypes.items()
        texts = [name for name, kind in kinds if kind.kind not in "biufc" and kind != "category"]
        frame = frame.astype(dict.fromkeys(texts, "category")) if texts else frame
    return frame


def _is_frame(data: Any) -> bool:
    """Whether it is a DataFrame of pandas."""
    return type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns")


def _framed(data: Any) -> Any:
    """A table in memory as a DataFrame; what is no table as it is."""
    if isinstance(data, Table):
        columns: Mapping[str, Any] = {each.name: _values(each) for each in data.columns}
    elif isinstance(data, Mapping):
        columns = cast("Mapping[str, Any]", data)
    elif hasattr(data, "column_names"):
        columns = {name: data.column(name).to_pandas() for name in data.column_names}
    else:
        return data
    return needed("pandas").DataFrame(dict(columns))


def _values(column: Column) -> Any:
    if column.kind == "category":
        return [None if place < 0 else column.levels[place] for place in column.values.tolist()]
    if column.kind == "date":
        moments = (column.values * 86_400_000_000).round()
        return np.where(column.missing, np.datetime64("NaT", "us"), np.nan_to_num(moments).astype("datetime64[us]"))
    return column.values


def _array(data: Any) -> Any:
    """A table in memory as one array of its columns in their order, or of its only column's texts; what is no table as
    it is."""
    if not (isinstance(data, Table | Mapping) or hasattr(data, "column_names")):
        return data
    table = read_table(data)
    if len(table.columns) == 1 and table.columns[0].kind == "category":
        return np.array(_values(table.columns[0]), object)
    if texts := [each.name for each in table.columns if each.kind not in ("number", "date")]:
        raise Malformed(
            f"column {listed(texts)} holds no numbers, of which the estimator learnt an array; leave it out"
        )
    return np.stack([each.values for each in table.columns], axis=1)
