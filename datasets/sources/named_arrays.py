"""An .npz file as rows: each of its arrays a column, whose first axis counts the rows."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np

from ...errors import Malformed
from ..memory import check_bytes
from ..values.arrays import arrow_array

_ENDING: Final = ".npy"


def npz_table(file: Any) -> Any:
    """The arrays of an .npz file as the columns of an Arrow table. Nothing pickled is read.

    Raises `Malformed` where an array is pickled or has other rows than the first, `Refused` where they find no room.
    """
    import pyarrow as pa

    with _opened(file) as archive:
        check_bytes(sum(member.file_size for member in archive.infolist()))
        arrays = {name: _array(archive, name) for name in _names(archive)}
    rows = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    first = next(iter(rows))
    if other := next((name for name, count in rows.items() if count != rows[first]), None):
        raise Malformed(f"its array {first!r} has {rows[first]} rows and {other!r} {rows[other]}; give one count")
    if not rows[first]:
        raise Malformed(f"its array {first!r} has no rows; give at least one")
    return pa.table({name: arrow_array(name, array) for name, array in arrays.items()})


def npz_columns(file: Any) -> list[str]:
    """The names of the arrays."""
    with _opened(file) as archive:
        return _names(archive)


@contextmanager
def _opened(file: Any) -> Generator[ZipFile]:
    try:
        with ZipFile(file) as archive:
            yield archive
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error):
        raise Malformed("its bytes are no archive of arrays, or damaged; write it anew by numpy.savez") from None


def _names(archive: ZipFile) -> list[str]:
    names = [name.removesuffix(_ENDING) for name in archive.namelist() if name.endswith(_ENDING)]
    if not names or len(set(names)) < len(names):
        raise Malformed("it holds no arrays, or two of one name; write it anew by numpy.savez")
    return names


def _array(archive: ZipFile, name: str) -> Any:
    with archive.open(name + _ENDING) as member:
        try:
            return np.lib.format.read_array(member, allow_pickle=False)
        except ValueError as error:
            if "pickle" in str(error).lower() or "object" in str(error).lower():
                raise Malformed(
                    f"its array {name!r} holds Python objects, which would have to be run to be read; give arrays of "
                    "numbers or text, of one length each"
                ) from None
            raise Malformed(f"its array {name!r} is damaged or cut off; write it anew by numpy.savez") from None
