"""What data to learn from may look like, and the fingerprint that tells it apart without showing a value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..plain import words_of
from .columns import Column, Table
from .fingerprint import RowsHasher
from .memory import decoded
from .pandas_index import index_columns
from .selection import Selection, listed
from .types import days, is_date, is_text, retyped
from .values.arrays import arrow_array, is_tensor, plain_array
from .values.tensors import is_array_type, tensor_array, tensor_values


def read_table(data: Any) -> Table:
    """Typed columns of a 2-d array, list of rows, DataFrame, Arrow table (or what exports one) or mapping of columns.

    Numbers and booleans are numbers, dates and moments days since 1970; text and dictionary-encoded columns (pandas'
    Categorical) are categories; what has a dimension or more a row, such as Arrow's fixed-shape tensors, is an array;
    None, NaN and what is masked are missing. An array's columns are named "0", "1", …; one of more than two dimensions
    is a single column of arrays, and a list of texts one of text. The index that pandas kept beside its columns is none
    of them. Raises `Malformed` on anything else.
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
        column = _column("label", _plain_labels(labels))
    if len(column.values) != rows:
        raise Malformed(f"there are {len(column.values)} labels for {rows} rows; give one label a row")
    if column.missing.any():
        raise Malformed(f"{int(column.missing.sum())} labels are missing; drop these rows or label them")
    return column


def fingerprint(data: Any, labels: Any = None) -> dict[str, Any]:
    """The rows' fingerprint as `RowsHasher.fingerprint` has it, and as "v1" the digest that version 1 gave them.

    The same content as pandas, Arrow, arrays or a mapping of columns has the same one. Numbers are compared as float64,
    so 1 and 1.0 and True are the same; so are a text and a category, and a date and its midnight in UTC. Rows that are
    not in memory tell theirs themselves, without "v1".
    """
    from .sources.parquet_rows import ParquetRows

    if isinstance(data, ParquetRows):
        return data.fingerprint(labels)
    hasher, table = RowsHasher(), read_table(data)
    column = None if labels is None else read_labels(labels, table.rows)
    hasher.update(table, column)
    return hasher.fingerprint() | {"v1": _before(table, column)}


def fingerprint_of_pieces(pieces: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """The fingerprint of rows that come in pieces, each its data and labels (or None): as of all at once, without "v1".

    Raises `Malformed` where the pieces differ in their columns, or in what one of them holds.
    """
    hasher = RowsHasher()
    for data, labels in pieces:
        table = read_table(data)
        hasher.update(table, None if labels is None else read_labels(labels, table.rows))
    return hasher.fingerprint()


def identity(data: Any, labels: Any = None) -> dict[str, Any]:
    """What tells rows apart that figures are of: their fingerprint without its columns."""
    return without_columns(fingerprint(data, labels))


def without_columns(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """A fingerprint as `identity` has it."""
    return {name: value for name, value in fingerprint.items() if name not in ("columns", "labels")}


def _before(table: Table, labels: Column | None) -> str:
    """The digest of version 1: blake3 over the typed columns in their order and the labels."""
    import blake3

    hasher = blake3.blake3()
    for column in (*table.columns, *(() if labels is None else (labels,))):
        hasher.update(column.canonical())
    return f"blake3:{hasher.hexdigest()}"


def selected(data: Any, chosen: Selection) -> Any:
    """The columns that were selected, of the types that were given, as an Arrow table; the data itself where none was.

    Raises `Malformed` where a column that was named is not there, or a value is not of the type that was given.
    """
    import pyarrow as pa

    if not chosen:
        return data
    given = dict(_named_columns(data))
    arrays: dict[str, Any] = {name: arrow_array(name, given[name]) for name in chosen.names([*given])}
    return cast("Any", pa).table({name: _as_given(name, array, chosen) for name, array in arrays.items()})


def parted(data: Any, names: Collection[str]) -> tuple[Any, dict[str, Column]]:
    """Rows without the columns of these names, and those of them that there are.

    Rows that are not in memory part themselves. Raises `Malformed` where no other column is left.
    """
    from .sources.parquet_rows import ParquetRows

    if not names:
        return data, {}
    if isinstance(data, ParquetRows):
        return data.parted(names)
    columns = [(each.name, each) for each in data.columns] if isinstance(data, Table) else [*_named_columns(data)]
    apart = {
        name: values if isinstance(values, Column) else _column(name, values)
        for name, values in columns
        if name in names
    }
    if not apart:
        return data, {}
    rest = {name: values for name, values in columns if name not in names}
    if len(rest) + len(apart) < len(columns):
        read_table(data)  # which says of which name there are two
    if not rest:
        raise Malformed("no column is left to learn from beside the one that rows are split by; give at least one")
    if isinstance(data, Table):
        return Table(tuple(rest.values()), data.rows), apart
    return rest, apart


def labelled_table(data: Any, labels: Any, chosen: Selection) -> tuple[Any, str | None]:
    """Rows in memory as an Arrow table of their chosen columns and the labels', and that one's name, if there are any.

    `labels` is one of the data's columns by its name, or values of their own, which become the column `label`.
    """
    import pyarrow as pa

    pairs = list(_named_columns(data))
    given = dict(pairs)
    if len(given) < len(pairs):
        twice = next(name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1)
        raise Malformed(f"the data has two columns named {twice!r}; rename one")
    if isinstance(labels, str) and labels not in given:
        raise Malformed(f"the data has no column {labels!r} for the labels; it has {listed([*given])}")
    label = labels if labels is None or isinstance(labels, str) else "label"
    names = chosen.names([*given], label if isinstance(labels, str) else None) if given else []
    if label is not None and label in names:
        raise Malformed(f"the data has a column {label!r} beside the labels; rename it, or name it as the labels")
    arrays = {name: _as_given(name, arrow_array(name, given[name]), chosen) for name in names}
    if label is not None:
        column = given[labels] if isinstance(labels, str) else _plain_labels(labels)
        arrays[label] = arrow_array(label, column)
    if len({len(array) for array in arrays.values()}) > 1:
        read_table(arrays)  # which says which of them
    return cast("Any", pa).table(arrays), label


def _as_given(name: str, array: Any, chosen: Selection) -> Any:
    return retyped(name, array, chosen.types[name]) if name in chosen.types else array


def _named_columns(data: Any) -> Iterable[tuple[str, Any]]:
    """Pairs of a column's name and its values, from whatever holds columns."""
    if isinstance(data, Mapping):
        return _of_mapping(cast("Mapping[Any, Any]", data))
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # pandas, whose own export to Arrow would add its index
        return [(str(name), data.iloc[:, place]) for place, name in enumerate(data.columns)]
    if hasattr(data, "with_format") and hasattr(data, "column_names"):  # of datasets: only so its row order is kept
        if not hasattr(data, "__len__"):
            raise Malformed(f"{words_of(data)} is a stream of rows; give one that has all of them")
        data = data.with_format("arrow")[:]
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "column_names"):  # Arrow's tables and whatever exports one
        return _of_arrow(data)
    if getattr(getattr(data, "dtype", None), "names", None):  # numpy's records
        return [(name, data[name]) for name in data.dtype.names]
    matrix = _matrix(data)
    if matrix.ndim > 2:
        return [("0", tensor_array("0", matrix))]
    return [(str(place), matrix[:, place]) for place in range(matrix.shape[1])]


def _of_mapping(data: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    if data and all(hasattr(part, "column_names") and hasattr(part, "with_format") for part in data.values()):
        raise Malformed(f"the data has several parts ({', '.join(map(str, data))}); give one of them")
    return [(str(name), values) for name, values in data.items()]


def _of_arrow(data: Any) -> list[tuple[str, Any]]:
    import pyarrow as pa

    try:
        table = cast("Any", pa.table(data) if hasattr(data, "__arrow_c_stream__") else data)
    except (pa.ArrowException, TypeError):
        raise Malformed(f"{words_of(data)} is one column; give a table, or columns by name") from None
    index = index_columns(table.schema)
    pairs = zip(table.column_names, table.columns, strict=True)
    return [(name, column) for name, column in pairs if name not in index]


def _matrix(data: Any) -> npt.NDArray[Any]:
    if is_tensor(data):
        data = plain_array(data, "the data")
    arrayed = hasattr(data, "__array__")
    if not (arrayed or isinstance(data, list | tuple)):
        sparse = hasattr(data, "toarray")
        raise Malformed(
            f"{words_of(data)} is sparse; give its .toarray()"
            if sparse
            else f"{words_of(data)} holds no rows; give a 2-d array, a DataFrame, an Arrow table or columns by name"
        )
    try:
        matrix = _unmasked(data, None if arrayed else object)
    except (ValueError, TypeError, RuntimeError) as error:
        raise Malformed(f"the rows have no common shape ({error}); give rows of one length") from error
    if matrix.ndim == 1 and _texts(matrix.tolist()):
        return matrix[:, None]
    if matrix.ndim > 2:
        return matrix  # arrays, one a row
    if matrix.ndim != 2:
        raise Malformed(f"the data has {matrix.ndim} dimensions, not rows and columns; give rows of one length")
    return matrix


def _texts(values: list[Any]) -> bool:
    """Whether a list holds texts, one a row, of which some may be missing."""
    return any(isinstance(each, str) for each in values) and all(isinstance(each, str | None) for each in values)


def _unmasked(data: Any, dtype: Any) -> Any:
    """The rows as one array, with None where they are masked."""
    if isinstance(data, np.ma.MaskedArray):
        masked = cast("Any", data)
        return np.asarray(cast("Any", np.where(np.ma.getmaskarray(masked), None, masked.data.astype(object))))
    if isinstance(data, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in cast("Any", data)):
        data = [_unmasked(row, object) for row in cast("Any", data)]
    return np.asarray(cast("Any", data), dtype=dtype)


def _plain_labels(labels: Any) -> Any:
    """Labels as they are, but numbers that pandas or Arrow keep as categories as numbers: 0 and 1, not '0' and '1'."""
    import pyarrow as pa

    array = arrow_array("label", labels)
    if not pa.types.is_dictionary(array.type) or is_text(array.type.value_type):
        return array
    return decoded("label", array)


def _column(name: str, values: Any) -> Column:
    """A typed column of anything that Arrow reads as one."""
    import pyarrow as pa

    array: Any = arrow_array(name, values)
    kind: Any = array.type
    if is_array_type(kind):
        return Column(name, "array", tensor_values(name, array))
    if pa.types.is_dictionary(kind):
        return _column(name, decoded(name, array)).as_categories()
    if is_text(kind):
        return _categories(name, array.cast(pa.large_string()))
    if is_date(kind):
        return Column(name, "date", days(array))
    if pa.types.is_null(kind) or pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise Malformed(f"column {name!r} holds {kind}; give numbers, booleans, dates or text")
    try:
        known = array.cast(pa.float64()).fill_null(float("nan"))
    except (ValueError, NotImplementedError):
        raise _too_large(name) from None
    numbers = cast("npt.NDArray[np.float64]", known.to_numpy(zero_copy_only=False))
    if pa.types.is_decimal(kind) and kind.scale <= 0 and (np.abs(numbers) > 2**53).any():
        raise _too_large(name)
    if np.isinf(numbers).any():
        raise Malformed(f"column {name!r} holds infinity; give a number, or leave it empty where it is unknown")
    return Column(name, "number", numbers)


def _too_large(name: str) -> Malformed:
    return Malformed(f"column {name!r} holds integers beyond 2**53, which no float holds; give text")


def _categories(name: str, array: Any) -> Column:
    encoded: Any = array.dictionary_encode()
    levels = cast("list[str]", encoded.dictionary.to_pylist())
    order = sorted(range(len(levels)), key=levels.__getitem__)  # code points sort as their UTF-8 bytes do
    place = np.empty(len(levels) + 1, np.int64)
    place[order] = np.arange(len(levels))
    place[-1] = -1
    codes: npt.NDArray[np.int64] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Column(name, "category", place[codes], tuple(levels[index] for index in order))
