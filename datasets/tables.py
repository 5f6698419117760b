"""What data to learn from may look like, and the fingerprint that tells it apart without showing a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from .columns import Column, Table


def read_table(data: Any) -> Table:
    """Typed columns of a 2-d array, list of rows, DataFrame, Arrow table (or what exports one) or mapping of columns.

    Numbers and booleans are numbers; text and dictionary-encoded columns (pandas' Categorical) are categories; None
    and NaN are missing. An array's columns are named "0", "1", … Raises `Malformed` on anything else.
    """
    if isinstance(data, Table):
        return data
    columns = [_column(name, values) for name, values in _named_columns(data)]
    seen: dict[str, int] = {}
    for column in columns:
        if column.name in seen:
            raise Malformed(f"the data has two columns named {column.name!r}; rename one")
        seen[column.name] = len(column.values)
    if not columns or not len(columns[0].values):
        raise Malformed("the data has no rows or no columns; give at least one of each")
    first = columns[0]
    for column in columns:
        if len(column.values) != len(first.values):
            lengths = f"{first.name!r} has {len(first.values)} rows and {column.name!r} {len(column.values)}"
            raise Malformed(f"column {lengths}; give columns of one length")
    return Table(tuple(columns), len(first.values))


def read_labels(labels: Any, rows: int) -> Column:
    """One label a row, for so many rows. Raises `Malformed` on another count, several columns or a missing label."""
    if isinstance(labels, Column):
        column = labels
    elif isinstance(labels, Mapping) or hasattr(labels, "column_names") or getattr(labels, "ndim", 1) != 1:
        table = read_table(labels)
        if len(table.columns) != 1:
            raise Malformed(f"the labels have {len(table.columns)} columns; give one label a row")
        column = replace(table.columns[0], name="label")
    else:
        column = _column("label", labels)
    if len(column.values) != rows:
        raise Malformed(f"there are {len(column.values)} labels for {rows} rows; give one label a row")
    if column.missing.any():
        raise Malformed(f"{int(column.missing.sum())} labels are missing; drop these rows or label them")
    return column


def fingerprint(data: Any, labels: Any = None) -> dict[str, Any]:
    """{"digest", "rows", "columns": [{"name", "type"}, …]}: names, types and counts, never a value.

    The digest is blake3 over the typed columns in their order and the labels; the same content as pandas, Arrow or a
    mapping of columns has the same one. Numbers are compared as float64, so 1 and 1.0 and True are the same.
    """
    import blake3

    table = read_table(data)
    hasher = blake3.blake3()
    for column in (*table.columns, *(() if labels is None else (read_labels(labels, table.rows),))):
        hasher.update(column.canonical())
    columns = [{"name": name, "type": kind} for name, kind in table.schema]
    return {"digest": f"blake3:{hasher.hexdigest()}", "rows": table.rows, "columns": columns}


def identity(data: Any, labels: Any = None) -> dict[str, Any]:
    """What tells rows apart that figures are of: the digest of their fingerprint, and how many they are."""
    told = fingerprint(data, labels)
    return {"digest": told["digest"], "rows": told["rows"]}


def _named_columns(data: Any) -> Iterable[tuple[str, Any]]:
    """Pairs of a column's name and its values, from whatever holds columns."""
    import pyarrow as pa

    if isinstance(data, Mapping):
        return [(str(name), values) for name, values in cast("Mapping[Any, Any]", data).items()]
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # pandas, whose own export to Arrow would add its index
        return [(str(name), data.iloc[:, place]) for place, name in enumerate(data.columns)]
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "column_names"):  # Arrow's tables and whatever exports one
        table = cast("Any", pa.table(data) if hasattr(data, "__arrow_c_stream__") else data)
        return list(zip(table.column_names, table.columns, strict=True))
    matrix = _matrix(data)
    return [(str(place), matrix[:, place]) for place in range(matrix.shape[1])]


def _matrix(data: Any) -> npt.NDArray[Any]:
    arrayed = hasattr(data, "__array__")
    if not (arrayed or isinstance(data, list | tuple)):
        raise Malformed(
            f"a {type(data).__name__} holds no rows; give a 2-d array, a DataFrame, an Arrow table or columns by name"
        )
    try:
        matrix: npt.NDArray[Any] = np.asarray(cast("Any", data), dtype=None if arrayed else object)
    except (ValueError, TypeError) as error:
        raise Malformed(f"the rows have no common shape ({error}); give rows of one length") from error
    if matrix.ndim != 2:
        raise Malformed(f"the data has {matrix.ndim} dimensions, not rows and columns; give rows of one length")
    return matrix


def _column(name: str, values: Any) -> Column:
    """A typed column of anything that Arrow reads as one."""
    import pyarrow as pa

    array: Any = _arrow(name, values)
    kind: Any = array.type
    if pa.types.is_dictionary(kind):
        return _column(name, array.dictionary_decode()).as_categories()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _categories(name, array.cast(pa.large_string()))
    if pa.types.is_null(kind) or pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise Malformed(f"column {name!r} holds {kind}; give numbers, booleans or text")
    try:
        known = array.cast(pa.float64()).fill_null(float("nan"))
    except ValueError as error:
        raise Malformed(f"column {name!r} holds integers beyond 2**53, which no float holds; give text") from error
    numbers = cast("npt.NDArray[np.float64]", known.to_numpy(zero_copy_only=False))
    if np.isinf(numbers).any():
        raise Malformed(f"column {name!r} holds infinity; give a number, or None where it is unknown")
    return Column(name, "number", numbers)


def _categories(name: str, array: Any) -> Column:
    encoded: Any = array.dictionary_encode()
    levels = cast("list[str]", encoded.dictionary.to_pylist())
    order = sorted(range(len(levels)), key=levels.__getitem__)  # code points sort as their UTF-8 bytes do
    place = np.empty(len(levels) + 1, np.int64)
    place[order] = np.arange(len(levels))
    place[-1] = -1
    codes: npt.NDArray[np.int64] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Column(name, "category", place[codes], tuple(levels[index] for index in order))


def _arrow(name: str, values: Any) -> Any:
    """One Arrow array of a column's values, None and NaN as null."""
    import pyarrow as pa

    if hasattr(values, "dictionary_encode"):  # Arrow's own, whole or in chunks
        return values.combine_chunks() if hasattr(values, "combine_chunks") else values
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise Malformed(f"column {name!r} is a {type(values).__name__}; give a list or an array of one value a row")
    if hasattr(values, "detach"):  # a torch tensor, which Arrow would walk element by element
        values = values.detach().cpu().numpy()
    try:
        array = cast("Any", pa.array(values, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        kinds = ", ".join(sorted({type(value).__name__ for value in values} - {"NoneType"}))
        reason = f"column {name!r} holds values that are not of one kind ({kinds}); give numbers, booleans or text"
        raise Malformed(reason) from None  # Arrow's own message quotes a value, which may be a person's
    return array.combine_chunks() if hasattr(array, "combine_chunks") else array
