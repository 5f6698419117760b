"""Predictions that stand in columns beside their rows, taken apart as `evaluate_predictions` takes them."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...datasets.selection import Selection, listed
from ...errors import Malformed
from ..rows import LabelledFile

Columns = str | Sequence[str]
"""One column, or several that are one value a row each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedColumns:
    """Which columns hold what."""

    predictions: Columns
    labels: Columns
    probabilities: Columns | None = None
    data: bool | Sequence[str] = False
    """The rows themselves: columns by name, or all that hold neither of these."""


def predicted(
    rows: LabelledFile, columns: PredictedColumns, chosen: Selection, report: Mapping[str, Any]
) -> dict[str, Any]:
    """Predictions, labels, probabilities and data, and what a report was asked with, by the SDK's names.

    Columns that a report names and that are none of the data's are given by their values. Raises `Malformed` where one
    that was named is not there.
    """
    table = _table(rows, columns.labels, chosen)
    told = {name: getattr(columns, name) for name in ("predictions", "labels", "probabilities")}
    named = [name for each in told.values() if each is not None for name in _names(each)]
    data = [name for name in table.column_names if name not in named] if columns.data is True else columns.data or ()
    values = {name: _values(table, each) for name, each in told.items() if each is not None}
    return values | {"data": _selected(table, data) if data else None} | _reported(table, report, {*data})


def _table(rows: LabelledFile, labels: Columns, chosen: Selection) -> Any:
    """All columns that the rows have, of their types."""
    label = _names(labels)[0]
    data, column = rows.labelled(label, {}, chosen)
    return data.append_column(label, column)


def _reported(table: Any, report: Mapping[str, Any], data: set[str]) -> dict[str, Any]:
    """A report's options, with the values of columns in the place of names that the data have not."""
    told = dict(report)
    if isinstance(groups := report.get("groups"), str) and groups not in data:
        told["groups"] = _column(table, groups).to_pylist()
    for option in ("slices", "sensitive"):
        names = report.get(option)
        if isinstance(names, list) and not {*names} <= data:
            told[option] = {name: _column(table, name).to_pylist() for name in names}
    return told


def _values(table: Any, names: Columns) -> Any:
    """A column's values; of several, or of a column of lists, several values a row."""
    import numpy as np
    import pyarrow as pa

    if not isinstance(names, str):
        return np.column_stack([np.asarray(_column(table, name)) for name in names])
    column = _column(table, names)
    return column.to_pylist() if pa.types.is_nested(column.type) else column


def _selected(table: Any, names: Sequence[str]) -> Any:
    for name in names:
        _column(table, name)
    return table.select([*names])


def _column(table: Any, name: str) -> Any:
    if name not in table.column_names:
        raise Malformed(f"the rows have no column {name!r}; they have {listed(table.column_names)}")
    return table.column(name)


def _names(columns: Columns) -> list[str]:
    names = [columns] if isinstance(columns, str) else [*columns]
    if not names:
        raise Malformed("a list of columns is empty; name at least one")
    return names
