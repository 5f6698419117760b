"""Labelled rows read from a file, and answers written to one."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Malformed, Refused

if TYPE_CHECKING:
    import pyarrow as pa


def labelled(path: str, label: str) -> tuple[Any, Any]:
    """The columns of a CSV or Parquet file without the one of labels, an Arrow table, and the labels, its column.

    An empty field of a CSV file is a missing value. Raises `Malformed` where there is no such file or column, or the
    file cannot be read; never with a value of it, which may be a person's.
    """
    table = _read(Path(path))
    if label not in table.column_names:
        near = get_close_matches(label, table.column_names, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {_listed(table.column_names)}"
        raise Malformed(f"{path} has no column {label!r}; {hint}")
    if table.column_names.count(label) > 1:
        raise Malformed(f"{path} has two columns named {label!r}; rename one")
    return table.drop_columns([label]), table.column(label)


def _read(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if not path.is_file():
        raise Malformed(f"there is no file {str(path)!r}; give a CSV or Parquet file")
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            options = csv.ConvertOptions(strings_can_be_null=True)
            # one thread: with more Arrow does not say which row is at fault
            return csv.read_csv(path, csv.ReadOptions(use_threads=False), convert_options=options)
        if suffix in (".parquet", ".pq"):
            return parquet.read_table(path)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise Malformed(f"{path} cannot be read as {suffix[1:]}: {_fault(str(error))}") from None
    except OSError as error:
        raise Malformed(f"{path} cannot be read ({error.strerror or 'it is damaged'}); check the file") from None
    raise Malformed(f"{path} is neither .csv nor .parquet; give the file the ending of what it holds")


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


def written(content: bytes, path: str) -> None:
    """Write a file that appears whole or not at all. Raises `Refused` where it cannot be written."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror or error}); name another place") from error
    finally:
        part.unlink(missing_ok=True)
