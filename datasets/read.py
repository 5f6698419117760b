"""Labelled rows by their address: a CSV, Parquet or Arrow file in a folder or in an object store."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from ..errors import Malformed, Refused, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa

KINDS: Final = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow"}


def checked(path: str, label: str) -> str:
    """The URL of a file, whatever folder it is asked from.

    A local one is looked at: `Malformed` where it is not there, cannot be read or has no such column.
    """
    _kind(path)
    if _remote(path):
        return path
    if not _local(path).is_file():
        raise Malformed(f"there is no file {path!r}; give a CSV or Parquet file")
    _check(path, _tried(path, _COLUMNS), label)
    return _local(path).absolute().as_uri()


def labelled(path: str, label: str) -> tuple[Any, Any]:
    """The columns of a file without the one of labels, an Arrow table, and the labels, its column.

    An empty field of a CSV file is a missing value. Raises `Malformed` where there is no such file or column, or the
    file cannot be read; never with a value of it, which may be a person's. `Unavailable` where its store is away.
    """
    table = _tried(path, _READERS)
    _check(path, table.column_names, label)
    return table.drop_columns([label]), table.column(label)


def _check(path: str, names: list[str], label: str) -> None:
    """Hold that there is one column of labels."""
    if label not in names:
        near = get_close_matches(label, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {_listed(names)}"
        raise Malformed(f"{_shown(path)} has no column {label!r}; {hint}")
    if names.count(label) > 1:
        raise Malformed(f"{_shown(path)} has two columns named {label!r}; rename one")


def _tried(path: str, readers: Mapping[str, Callable[[Any], Any]]) -> Any:
    """What a reader finds in a file, its complaints in our words and without a value."""
    import pyarrow as pa

    kind = _kind(path)
    try:
        with _opened(path) as file:
            return readers[kind](file)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise Malformed(f"{_shown(path)} cannot be read as {kind}: {_fault(str(error))}") from None
    except OSError as error:
        if _remote(path) and (isinstance(error, FileNotFoundError) or "NO_SUCH_BUCKET" in str(error)):
            raise Malformed(f"there is no {_shown(path)} in its bucket; give the address of a file") from None
        if _remote(path):
            raise Unavailable(f"{_shown(path)} cannot be reached now; see to its store, then try again") from None
        what = error.strerror or "it is damaged"
        raise Malformed(f"{_shown(path)} cannot be read ({what}); check the file") from None


def _opened(path: str) -> Any:
    from pyarrow import fs

    if _remote(path):
        try:
            store, place = fs.FileSystem.from_uri(path)
        except ValueError as error:
            raise Refused(
                f"no store is known for {urlsplit(path).scheme}:// ({error}); use s3://, gs:// or a file"
            ) from error
        return store.open_input_file(place)
    local = _local(path)
    if not local.is_file():
        raise Malformed(f"there is no file {_shown(path)!r}; give a CSV or Parquet file")
    return fs.LocalFileSystem().open_input_file(str(local))


def _csv(file: Any) -> pa.Table:
    from pyarrow import csv

    options = csv.ConvertOptions(strings_can_be_null=True)
    # one thread: with more Arrow does not say which row is at fault
    return csv.read_csv(file, csv.ReadOptions(use_threads=False), convert_options=options)


def _csv_columns(file: Any) -> list[str]:
    from pyarrow import csv

    return csv.open_csv(file, csv.ReadOptions(use_threads=False)).schema.names


def _parquet(file: Any) -> pa.Table:
    from pyarrow import parquet

    return parquet.read_table(file)


def _parquet_columns(file: Any) -> list[str]:
    from pyarrow import parquet

    return parquet.read_schema(file).names


def _arrow(file: Any) -> pa.Table:
    from pyarrow import ipc

    return ipc.open_file(file).read_all()


def _arrow_columns(file: Any) -> list[str]:
    from pyarrow import ipc

    return ipc.open_file(file).schema.names


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {"csv": _csv, "parquet": _parquet, "arrow": _arrow}
_COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "csv": _csv_columns,
    "parquet": _parquet_columns,
    "arrow": _arrow_columns,
}


def _remote(path: str) -> bool:
    return "://" in path and not path.startswith("file://")


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
