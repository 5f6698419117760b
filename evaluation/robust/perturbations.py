"""Perturbations of rows: values missing, shifted, rescaled, noisy, unknown or swapped, in whatever holds the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from ...datasets.columns import Column
from ...datasets.tables import read_table
from ...datasets.values.arrays import is_tensor, plain_array
from ...errors import Malformed
from ...plain import words_of

UNKNOWN: Final = "(unknown level)"
"""The text of a category that no training ever showed."""
SINGLE: Final = 50
"""Columns that are emptied one at a time, at most."""
Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Perturbation:
    """One way in which inputs are wrong; `severity` is a share of values, or a fraction of the spread."""

    kind: str
    severity: float
    column: str | None = None
    """The only column that it is of; None for all that it fits."""


def of_tables(columns: Mapping[str, Column]) -> Iterator[Perturbation]:
    """The perturbations that a table is tried with."""
    numbers = any(column.kind != "category" for column in columns.values())
    yield from (Perturbation("missing", share) for share in (0.05, 0.2, 0.5))
    if numbers:
        yield from (Perturbation("shift", size) for size in (-0.5, 0.5, 1.0))
        yield from (Perturbation("scale", factor) for factor in (0.5, 2.0))
        yield from (Perturbation("noise", size) for size in (0.1, 0.5, 1.0))
    if any(column.kind == "category" for column in columns.values()):
        yield from (Perturbation(kind, share) for kind in ("unknown", "swapped") for share in (0.1, 0.5))
    yield from (Perturbation("missing", 1.0, name) for name in [*columns][:SINGLE])


def of_pictures() -> Iterator[Perturbation]:
    """The perturbations that pictures are tried with."""
    yield from (Perturbation("noise", size) for size in (0.1, 0.25, 0.5))
    yield from (Perturbation("blur", pixels) for pixels in (1.0, 2.0))
    yield from (Perturbation("brightness", size) for size in (-0.25, -0.1, 0.1, 0.25))


def perturbed_pictures(pictures: Values, how: Perturbation, generator: np.random.Generator) -> Values:
    """Pictures of shape (n, height, width), or with channels before or behind, perturbed by fractions of their range.

    They stay within the range that they had.
    """
    low, high = float(pictures.min()), float(pictures.max())
    spread = high - low
    values = pictures.astype(np.float64)
    if how.kind == "blur":
        from scipy.ndimage import gaussian_filter

        values = gaussian_filter(values, how.severity, axes=_sides(pictures))
    elif how.kind == "noise":
        values = values + generator.normal(0, how.severity * spread, values.shape)
    else:
        values = values + how.severity * spread
    return np.clip(values, low, high).astype(pictures.dtype)


class PerturbedRows:
    """Rows as they were given, of which perturbed copies are made in the same form."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.columns = read_table(data).by_name
        self._put = _putter(data)

    def perturbed(self, how: Perturbation, generator: np.random.Generator) -> Any:
        """A copy with some of its values changed. Raises `Malformed` on a column that is not there."""
        if how.column is not None and how.column not in self.columns:
            raise Malformed(f"the data have no column {how.column!r}; they have {', '.join(self.columns)}")
        chosen = [how.column] if how.column is not None else [*self.columns]
        changed = {name: _changed(self.columns[name], how, generator) for name in chosen}
        return self._put({name: values for name, values in changed.items() if values is not None})


def _changed(column: Column, how: Perturbation, generator: np.random.Generator) -> Values | None:
    """A column's values under a perturbation; None where that is not of its kind."""
    some = generator.random(len(column.values)) < how.severity
    if column.kind == "category":
        values = np.array([None if place < 0 else column.levels[place] for place in column.values.tolist()], object)
        match how.kind:
            case "missing":
                values[some] = None
            case "unknown":
                values[some] = UNKNOWN
            case "swapped":
                values[some] = generator.permutation(values[some])
            case _:
                return None
        return values
    values = column.values.astype(np.float64)
    spread, mean = (float(each(values)) if (~column.missing).any() else 0.0 for each in (np.nanstd, np.nanmean))
    match how.kind:
        case "missing":
            values[some] = np.nan
            return values
        case "shift":
            return values + how.severity * spread
        case "scale":
            return mean + how.severity * (values - mean)
        case "noise":
            return values + generator.normal(0, how.severity * spread or 0.0, len(values))
        case _:
            return None


def _putter(data: Any) -> Callable[[Mapping[str, Values]], Any]:
    """What makes a copy of the data with other values in some columns."""
    if is_tensor(data) or isinstance(data, np.ndarray):
        matrix = plain_array(data, "the data") if is_tensor(data) else cast("Values", data)

        def into_matrix(changed: Mapping[str, Values]) -> Any:
            copy = matrix.astype(object if matrix.dtype.kind in "OUS" else np.promote_types(matrix.dtype, np.float32))
            for name, values in changed.items():
                copy[:, int(name)] = values
            return _as_tensor(copy) if is_tensor(data) else copy

        return into_matrix
    if hasattr(data, "iloc") and hasattr(data, "assign"):
        return lambda changed: data.assign(**changed)
    if isinstance(data, Mapping):
        return lambda changed: dict(cast("Mapping[str, Any]", data)) | dict(changed)
    if hasattr(data, "column_names") and hasattr(data, "set_column"):
        return lambda changed: _into_arrow(data, changed)
    what = f"{words_of(data)} cannot be perturbed column by column"
    raise Malformed(f"{what}; give an array, a DataFrame, an Arrow table or columns by name")


def _as_tensor(copy: Values) -> Any:
    import torch

    return torch.from_numpy(copy)


def _into_arrow(table: Any, changed: Mapping[str, Values]) -> Any:
    import pyarrow as pa

    for name, values in changed.items():
        array: Any = pa.array(values, from_pandas=True)  # pyright: ignore
        table = table.set_column(table.column_names.index(name), name, array)
    return table


def _sides(pictures: Values) -> tuple[int, int]:
    """The axes of height and width: channels are few, and stand before or behind them."""
    return (1, 2) if pictures.ndim == 4 and pictures.shape[-1] in (1, 3, 4) else (pictures.ndim - 2, pictures.ndim - 1)
