"""Labelled rows by their address: a CSV, Parquet or Arrow file in a folder or in an object store."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from ..errors import Malformed, Refused, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa

KINDS: Final = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow"}


def address(path: str) -> str:
    """The URL of a file, whatever folder it is asked from. `Malformed` where a local one is not there."""
    if "://" in path and not path.startswith("file://"):
        return path
    local = _local(path)
    if not local.is_file():
        raise Malformed(f"there is no file {path!r}; give a CSV, Parquet or Arrow file")
    _kind(path)
    return local.absolute().as_uri()


def labelled(path: str, label: str) -> tuple[Any, Any]:
    """The columns of a file without the one of labels, an Arrow table, and the labels, its column.

    An empty field of a CSV file is a missing value. Raises `Malformed` where there is no such file or column, or the
    file cannot be read; never with a value of it, which may be a person's. `Unavailable` where its store is away.
    """
    table = _read(path)
    if label not in table.column_names:
        near = get_close_matches(label, table.column_names, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {_listed(table.column_names)}"
        raise Malformed(f"{_shown(path)} has no column {label!r}; {hint}")
    if table.column_names.count(label) > 1:
        raise Malformed(f"{_shown(path)} has two columns named {label!r}; rename one")
    return table.drop_columns([label]), table.column(label)


def _read(path: str) -> pa.Table:
    import pyarrow as pa

    kind = _kind(path)
    try:
        with _opened(path) as file:
            return _READERS[kind](file)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise Malformed(f"{_shown(path)} cannot be read as {kind}: {_fault(str(error))}") from None
    except OSError as error:
        if "://" in path and not path.startswith("file://"):
            raise Unavailable(f"{_shown(path)} cannot be reached now; see to its store, then try again") from None
        raise Malformed(
            f"{_shown(path)} cannot be read ({error.strerror or 'it is damaged'}); check the file"
        ) from None


def _opened(path: str) -> Any:
    from pyarrow import fs

    if "://" in path and not path.startswith("file://"):
        try:
            store, place = fs.FileSystem.from_uri(path)
        except ValueError as error:
            raise Refused(
                f"no store is known for {urlsplit(path).scheme}:// ({error}); use s3://, gs:// or a file"
            ) from error
        return store.open_input_file(place)
    local = _local(path)
    if not local.is_file():
        raise Malformed(f"there is no file {_shown(path)}; give a CSV, Parquet or Arrow file")
    return fs.LocalFileSystem().open_input_file(str(local))


def _csv(file: Any) -> pa.Table:
    from pyarrow import csv

    options = csv.ConvertOptions(strings_can_be_null=True)
    # one thread: with more Arrow does not say which row is at fault
    return csv.read_csv(file, csv.ReadOptions(use_threads=False), convert_options=options)


def _parquet(file: Any) -> pa.Table:
    from pyarrow import parquet

    return parquet.read_table(file)


def _arrow(file: Any) -> pa.Table:
    from pyarrow import feather

    return feather.read_table(file)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {"csv": _csv, "parquet": _parquet, "arrow": _arrow}


def _kind(path: str) -> str:
    suffix = PurePosixPath(urlsplit(path).path if "://" in path else path).suffix.lower()
    if suffix not in KINDS:
        raise Malformed(f"{_shown(path)} is neither .csv nor .parquet; give the file the ending of what it holds")
    return KINDS[suffix]


def _local(path: str) -> Path:
    return Path(unquote(urlsplit(path).path)) if path.startswith("file://") else Path(path)


def _shown(path: str) -> str:
    """A path as messages tell it: what may stand in a story that others read is the file's name alone."""
    return PurePosixPath(unquote(urlsplit(path).path)).name if "://" in path else path


def _fault(message: str) -> str:
    """What Arrow found, without the values that its message quotes."""
    if columns := re.search(r"Expected (\d+) columns, got (\d+)", message):
        row = re.search(r"Row #(\d+)", message)
        where = f"row {row[1]}" if row else "a row"
        return f"{where} has {columns[2]} columns where {columns[1]} were expected; mend the row"
    if "Empty CSV" in message:
        return "it is empty; give a file with a line of column names and rows"
    return "its bytes are not of that kind; check the file"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(map(repr, names[:8])) + more
