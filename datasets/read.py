"""Labelled rows by their address: a table in a file, in an object store or on the web, arrays, a folder of pictures."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..errors import LeptonError, Malformed, Refused, Unavailable
from .delimited import columns, texts, typed
from .pandas_index import check_names, index_columns
from .selection import ALL, Selection, listed
from .sources.named_arrays import npz_columns, npz_table
from .sources.pictures import PictureFolder, parted, picture_folder
from .sources.web import WebFile, is_web
from .types import GIVEN, LEARNT, Kind, retyped
from .unpacked import arrow_stream_table, arrow_table, parquet_table

KINDS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow stream",
    ".npz": "npz",
}
PICTURES: Final = "pictures"
"""What a folder holds."""
PACKED: Final = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""How a text file may be compressed, by its last ending."""
SEPARATORS: Final = {"csv": ",", "tsv": "\t"}


def checked(path: str, label: str, chosen: Selection = ALL) -> str:
    """The URL of a file, whatever folder it is asked from.

    A local one is looked at: `Malformed` where it is not there, cannot be read or lacks a column that was named.
    """
    address = located(path)
    if not _remote(path):
        names = _tried(path, _COLUMNS)
        check_label(path, names, label)
        chosen.names(names, label)
    return address


def located(path: str) -> str:
    """The URL of a file, whatever folder it is asked from. Raises `Malformed` where a local one is not there."""
    kind = kind_of(path)
    if is_web(path):
        WebFile.of(path)
    if _remote(path):
        return path
    if kind != PICTURES and not _local(path).is_file():
        raise Malformed(f"there is no file {path!r}; give a file of rows, or a folder of pictures")
    return _local(path).absolute().as_uri()


def labelled(
    path: str, label: str, chosen: Selection = ALL, schema: Mapping[str, Kind] | None = None
) -> tuple[Any, Any]:
    """The columns of a file to learn from, an Arrow table, and the labels, its column.

    With a version's `schema` its columns are read as what that version learnt, and others are left aside. Without one
    a CSV file's columns are read as `chosen` says, or as what they seem to be. An empty field of it is a missing value,
    and so is NA and its like among numbers. Raises `Malformed` where there is no such file or column, or the file
    cannot be read; never with a value of it, which may be a person's. `Unavailable` where its store is away.
    """
    table = _read(path, label, chosen, schema or {})
    return table.drop_columns([label]), table.column(label)


def labelled_twice(
    path: str, label: str | None, named: Selection, check: Callable[[Any], None]
) -> Callable[[str | None, Selection, Mapping[str, Kind]], Any]:
    """A reading of a file that `check` lets pass, given its rows by the selection and label that they were named with.

    What is returned gives the same bytes' rows as `labelled` reads them: a table of the columns and the label's.
    """
    table = _tried(path, _READERS)
    if label is not None:
        check_label(path, table.column_names, label)
    check(_selected(path, table, label, named, {}))

    def again(label: str | None, chosen: Selection, schema: Mapping[str, Kind]) -> Any:
        if label is not None:
            check_label(path, table.column_names, label)
        return _selected(path, table, label, chosen, schema)

    return again


def labelled_alike(path: str, label: str, chosen: Selection, learnt: tuple[Any, Any]) -> tuple[Any, Any]:
    """As `labelled`, of a text file each column as what the same one of `learnt` holds: rows to validate a fit on."""
    from .sources.parquet_rows import ParquetRows
    from .tables import read_labels, read_table

    if kind_of(path) not in SEPARATORS:
        return labelled(path, label, chosen)
    table = learnt[0] if isinstance(learnt[0], ParquetRows) else read_table(learnt[0])
    schema: dict[str, Kind] = dict(table.schema)
    schema[label] = read_labels(learnt[1], table.rows).kind
    return labelled(path, label, schema=schema)


def rows(path: str, schema: Mapping[str, Kind] | None = None) -> Any:
    """As `labelled`, for rows that are only predicted: an Arrow table of the columns that a version learnt."""
    return _read(path, None, ALL, schema or {})


def rows_beside(path: str, schema: Mapping[str, Kind], carried: Sequence[str] | None = ()) -> tuple[Any, Any]:
    """As `rows`, and beside them the columns `carried`, None for all, as they stand in the file: Arrow tables both.

    Raises `Malformed` too where the file lacks a column that the version learnt.
    """
    table = _tried(path, _READERS)
    present = table.column_names
    if lacking := [name for name in schema if name not in present]:
        places = all(name.isdecimal() for name in schema)
        hint = "it learnt from an array, so name the columns 0, 1, 2, ..." if places else f"it has {listed(present)}"
        raise Malformed(f"{_shown(path)} has no column {listed(lacking)}, which the version learnt; {hint}")
    for name in (*schema, *(present if carried is None else carried)):
        check_label(path, present, name)
    beside = table if carried is None else table.select([*dict.fromkeys(carried)])
    return _selected(path, table, None, ALL, schema), beside


def columns_beside(path: str, names: Sequence[str] | None) -> Any:
    """Columns of a file as what they seem to be, an Arrow table; None for all. Numbers of a text file are such."""
    _, beside = rows_beside(path, {}, names)
    with complaints(path):
        return typed(beside, {}) if kind_of(path) in SEPARATORS else beside


def as_it_stands(path: str) -> Any:
    """All columns of a file, an Arrow table: of a text file their texts. Checked, for a stranger may have made it."""
    table = _tried(path, _READERS)
    with complaints(path):
        table.validate(full=True)
    return table


def _read(path: str, label: str | None, chosen: Selection, schema: Mapping[str, Kind]) -> Any:
    table = _tried(path, _READERS)
    present = table.column_names
    if label is not None:
        check_label(path, present, label)
    return _selected(path, table, label, chosen, schema)


def _selected(path: str, table: Any, label: str | None, chosen: Selection, schema: Mapping[str, Kind]) -> Any:
    """The columns to learn from, or that were learnt, of their types."""
    try:
        table = table.select(_places(table, label, chosen, schema))
        if kind_of(path) in SEPARATORS:
            return typed(table, {**chosen.types, **schema}, LEARNT if schema else GIVEN)
        return _retyped(table, chosen.types)
    except LeptonError as error:
        raise type(error)(f"{_shown(path)}: {error}") from None
    except MemoryError:
        raise _too_large(path) from None


def _places(table: Any, label: str | None, chosen: Selection, schema: Mapping[str, Kind]) -> list[int]:
    """Where the columns to learn from lie, and the labels'."""
    present = table.column_names
    if schema and schema.keys() - {label} <= {*present}:
        wanted = {*schema}
    else:
        index = () if chosen.columns is not None else index_columns(table.schema)
        wanted = {name for name in chosen.names(present, label) if name not in index}
        if not schema:
            check_names(present, wanted)
    return [place for place, name in enumerate(present) if name in wanted or name == label]


def of_table(table: Any, label: str | None, chosen: Selection, schema: Mapping[str, Kind]) -> Any:
    """Of rows that are typed already the columns to learn from, or that were learnt, and the label's."""
    return _retyped(table.select(_places(table, label, chosen, schema)), chosen.types)


def _retyped(table: Any, types: Mapping[str, Kind]) -> Any:
    for name in (name for name in table.column_names if name in types):
        made = retyped(name, table.column(name).combine_chunks(), types[name])
        table = table.set_column(table.column_names.index(name), name, made)
    return table


def check_label(path: str, names: list[str], label: str) -> None:
    """Hold that a file with columns of these names has one of labels. Raises `Malformed`."""
    if label not in names:
        near = get_close_matches(label, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {listed(names)}"
        raise Malformed(f"{_shown(path)} has no column {label!r}; {hint}")
    if names.count(label) > 1:
        raise Malformed(f"{_shown(path)} has two columns named {label!r}; rename one")


def _tried(path: str, readers: Mapping[str, Callable[[Any], Any]]) -> Any:
    """What a reader finds in a file or a folder, its complaints in our words and without a value."""
    kind = kind_of(path)
    with complaints(path):
        return readers[kind](folder_at(path) if kind == PICTURES else partial(open_rows, path))


@contextmanager
def complaints(path: str) -> Generator[None]:
    """What is raised while a file is read, in our words and without a value of it."""
    import pyarrow as pa

    kind = kind_of(path)
    try:
        yield
    except MemoryError:
        raise _too_large(path) from None
    except Malformed as error:
        raise Malformed(f"{_shown(path)} cannot be read as {kind}: {error}") from None
    except Refused as error:
        raise Refused(f"{_shown(path)}: {error}") from None
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise Malformed(f"{_shown(path)} cannot be read as {kind}: {_fault(error)}") from None
    except OSError as error:
        if _remote(path) and (isinstance(error, FileNotFoundError) or "NO_SUCH_BUCKET" in str(error)):
            raise Malformed(f"there is no {_shown(path)} in its bucket; give the address of a file") from None
        if _damaged(error):
            raise Malformed(f"{_shown(path)} cannot be read as {kind}: {_fault(error)}") from None
        if _remote(path):
            raise Unavailable(f"{_shown(path)} cannot be reached now; see to its store, then try again") from None
        what = error.strerror or "it is damaged"
        raise Malformed(f"{_shown(path)} cannot be read ({what}); check the file") from None


def open_rows(path: str) -> Any:
    """The open file or object at an address, unpacked where it is packed."""
    from pyarrow import fs

    if _remote(path) and not is_web(path):
        try:
            store, place = fs.FileSystem.from_uri(path)
        except ValueError as error:
            raise Refused(
                f"no store is known for {urlsplit(path).scheme}:// ({error}); use s3://, gs://, https:// or a file"
            ) from error
    else:
        local = WebFile.of(path).copy() if is_web(path) else _local(path)
        if not local.is_file():
            raise Malformed(f"there is no file {_shown(path)!r}; give a file of rows, or a folder of pictures")
        store, place = fs.LocalFileSystem(), str(local)
    packed = PACKED.get(_suffixes(path)[-1])
    return store.open_input_stream(place, compression=packed) if packed else store.open_input_file(place)


def local_stamp(path: str) -> tuple[int, int] | None:
    """The size and the time of the last change of a local file; None of others, and where it is not there."""
    if _remote(path) or not _local(path).is_file():
        return None
    known = _local(path).stat()
    return known.st_size, known.st_mtime_ns


def folder_at(path: str) -> PictureFolder:
    """The folder of pictures at an address. Raises `Malformed` where what stands behind it is no size."""
    return picture_folder(str(_local(path)))


def _parquet(opened: Callable[[], Any]) -> Any:
    with opened() as file:
        return parquet_table(file)


def _parquet_columns(opened: Callable[[], Any]) -> list[str]:
    from pyarrow import parquet

    with opened() as file:
        return parquet.read_schema(file).names


def _arrow(opened: Callable[[], Any]) -> Any:
    with opened() as file:
        return arrow_table(file)


def _arrow_columns(opened: Callable[[], Any]) -> list[str]:
    from pyarrow import ipc

    with opened() as file:
        return ipc.open_file(file).schema.names


def _stream(opened: Callable[[], Any]) -> Any:
    with opened() as file:
        return arrow_stream_table(file)


def _stream_columns(opened: Callable[[], Any]) -> list[str]:
    from pyarrow import ipc

    with opened() as file:
        return ipc.open_stream(file).schema.names


def _npz(opened: Callable[[], Any]) -> Any:
    with opened() as file:
        return npz_table(file)


def _npz_columns(opened: Callable[[], Any]) -> list[str]:
    with opened() as file:
        return npz_columns(file)


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **{kind: partial(texts, separator=separator) for kind, separator in SEPARATORS.items()},
    "parquet": _parquet,
    "arrow": _arrow,
    "arrow stream": _stream,
    "npz": _npz,
    PICTURES: PictureFolder.table,
}
_COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **{kind: partial(columns, separator=separator) for kind, separator in SEPARATORS.items()},
    "parquet": _parquet_columns,
    "arrow": _arrow_columns,
    "arrow stream": _stream_columns,
    "npz": _npz_columns,
    PICTURES: lambda folder: folder.columns,
}


def _remote(path: str) -> bool:
    return "://" in path and not path.startswith("file://")


def _suffixes(path: str) -> list[str]:
    name = PurePosixPath(urlsplit(path).path if "://" in path else path)
    return [suffix.lower() for suffix in name.suffixes] or [""]


def kind_of(path: str) -> str:
    """What a file holds, by its ending, or a folder. Raises `Malformed`."""
    suffixes = _suffixes(path)
    packed = suffixes[-1] in PACKED
    kind = KINDS.get(suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1])
    if kind is None and not _remote(path) and Path(parted(str(_local(path)))[0]).is_dir():
        return PICTURES
    if kind is None:
        raise Malformed(f"{_shown(path)} is neither .csv nor .parquet; give the file the ending of what it holds")
    if packed and kind not in SEPARATORS:
        raise Malformed(f"{_shown(path)} is compressed once more; unpack it, {kind} files are compressed inside")
    return kind


def _local(path: str) -> Path:
    return Path(unquote(urlsplit(path).path)) if path.startswith("file://") else Path(path)


def _shown(path: str) -> str:
    """A path as messages tell it: what may stand in a story that others read is the file's name alone."""
    return PurePosixPath(parted(unquote(urlsplit(path).path))[0]).name if "://" in path else path


def _too_large(path: str) -> Refused:
    return Refused(
        f"{_shown(path)} takes more memory than there is, or than its process may have; give fewer rows or columns, or "
        "more memory"
    )


def _damaged(error: OSError) -> bool:
    """Whether the bytes are at fault, not the way to them."""
    return error.errno is None and any(word in str(error) for word in ("CRC", "corrupt", "inflate", "ompress"))


def _fault(error: Exception) -> str:
    """What Arrow found, without the values that its message quotes."""
    message = str(error)
    if columns := re.search(r"Expected (\d+) columns, got (\d+)", message):
        row = re.search(r"Row #(\d+)", message)
        where = f"row {row[1]}" if row else "a row"
        return f"{where} has {columns[2]} columns where {columns[1]} were expected; mend the row"
    if "Empty CSV" in message:
        return "it is empty; give a file with a line of column names and rows"
    if isinstance(error, UnicodeDecodeError) or "UTF8" in message:
        return "its text is not UTF-8, but Latin-1 perhaps; save it as UTF-8"
    if "CRC" in message:
        return "a page has another checksum than was written, so it is damaged; fetch the file anew"
    if "ompress" in message or "inflate" in message:
        return "its compressed bytes are damaged or cut off; fetch the file anew"
    return "its bytes are not of that kind; check the file"
