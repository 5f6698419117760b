"""The rows of a training in this process: as they are, or read from a file, or those that bear a name."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path, PurePath
from typing import Any, Protocol, cast

from ..datasets.selection import Selection
from ..domain.names import DATA_PREFIX
from ..errors import Malformed, Refused


class KnowsData(Protocol):
    """Whoever knows named data: a manager."""

    def data(self, name: str) -> Any:
        """What a name stands for."""
        ...

    def load_data(self, name: str) -> tuple[Any, Any]:
        """Its rows, and their labels if there are any."""
        ...


def training_rows(
    known: KnowsData, data: Any, labels: Any, chosen: Selection, *, in_parts: bool = False
) -> tuple[Any, Any]:
    """The columns that were chosen, and the labels: `data` may be a path or a name, `labels` their column.

    A name is told from a path as for `evaluate`. The rows of a path are `ParquetRows` where they are learnt from
    `in_parts`. Raises `Malformed` where nothing says what the labels are, else what
    `datasets.read.labelled` and `load_data` do.
    """
    from ..datasets.read import labelled
    from ..datasets.sources.parquet_rows import ParquetRows
    from ..datasets.tables import selected

    if isinstance(data, str | PathLike):
        path = fspath(cast("str", data))
        if in_parts:
            if is_name(path):
                raise Refused(f"rows_at_once is for a Parquet file by its path; train from that of {path}, or as a job")
            rows = ParquetRows.opened(path, _column(labels, path), chosen)
            return rows, rows.labels()
        if not is_name(path):
            return labelled(path, _column(labels, path), chosen)
        data, labels = _named(known, path.removeprefix(DATA_PREFIX), labels)
    if labels is None:
        raise Malformed("nobody said what the labels of the rows are", python="give labels=", cli="name their column")
    return selected(data, chosen), labels


def validation_rows(validation: tuple[Any, Any], learnt: tuple[Any, Any], chosen: Selection) -> tuple[Any, Any]:
    """The rows that a training is validated on: of a file, each column as what the same one of `learnt` holds."""
    from ..datasets.read import labelled_alike
    from ..datasets.tables import selected

    data, labels = validation
    if isinstance(data, str | PathLike):
        path = fspath(cast("str", data))
        return labelled_alike(path, _column(labels, path), chosen, learnt)
    return selected(data, chosen), labels


def is_name(data: str) -> bool:
    """Whether a text names data rather than a file."""
    if data.startswith(DATA_PREFIX):
        return True
    path = PurePath(data)
    return "://" not in data and path.name == data and not path.suffix and not Path(data).exists()


def _named(known: KnowsData, name: str, labels: Any) -> tuple[Any, Any]:
    rows, own = known.load_data(name)
    if own is None:
        if not isinstance(labels, str):
            return rows, labels
        if labels not in rows.column_names:
            raise Malformed(f"{name} has no column {labels!r} for the labels; it has {', '.join(rows.column_names)}")
        return rows.drop_columns([labels]), rows.column(labels)
    column = known.data(name).labels.name
    if labels not in (None, column):
        raise Malformed(f"the labels of {name} are its column {column!r}; leave labels out")
    return rows, own


def _column(labels: Any, path: str) -> str:
    if not isinstance(labels, str):
        what = f"nobody said which column of {path} holds the labels"
        raise Malformed(what, python="give its name as labels=", cli="name it by --label")
    return labels
