"""Delimited text (CSV, TSV): read as its columns' texts first, so that no value is lost to a guess of its type."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..errors import Malformed
from .memory import TextRoom
from .types import GIVEN, Kind, guessed, retyped

BLOCKS: Final = (16 << 20, 256 << 20, 2**31 - 2)
"""Bytes that are parsed at once: a row must fit in, so the next is tried where one does not."""
_OTHERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
STRADDLES: Final = "straddl"
"""What Arrow says of a row that is longer than a block."""
_NUL: Final = "it has NUL bytes: it is damaged, or UTF-16; save it as UTF-8"


def header(file: Any, separator: str) -> list[str]:
    """The names of the columns. Raises `Malformed` where the file does not begin as such text does."""
    import csv

    raw = file.read(BLOCKS[0])
    if b"\0" in raw:
        raise Malformed(_NUL)
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(raw)
    try:
        names = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row), None)
    except csv.Error as error:
        raise Malformed(f"its line of column names cannot be read ({error}); mend it") from None
    if names is None:
        raise Malformed("it is empty; give a file with a line of column names and rows")
    for other, what in _OTHERS.items():
        if len(names) == 1 and other in names[0]:
            raise Malformed(f"its columns are parted by {what}; save it with commas, or with tabs as .tsv")
    return names


def columns(opened: Callable[[], Any], separator: str) -> list[str]:
    """The names of the columns, once the first rows were looked at too."""
    import pyarrow as pa
    from pyarrow import csv

    with opened() as file:
        names = header(file, separator)
    try:
        with opened() as file:
            csv.open_csv(_Pieces(file), *_options(names, separator, BLOCKS[0]))
    except pa.ArrowInvalid as error:
        if STRADDLES not in str(error):
            raise
    return names


def texts(opened: Callable[[], Any], separator: str) -> Any:
    """All columns as texts, an empty field as null; `opened` opens the file anew each time it is called."""
    import pyarrow as pa
    from pyarrow import csv

    with opened() as file:
        names = header(file, separator)
    for block in BLOCKS:
        try:
            with opened() as file:
                return csv.read_csv(_Pieces(file, TextRoom(len(names))), *_options(names, separator, block))
        except pa.ArrowInvalid as error:
            if STRADDLES not in str(error):
                raise
    raise Malformed(f"a row of it has more than {BLOCKS[-1]:,} bytes; is a quotation mark missing?")


def text_pieces(opened: Callable[[], Any], separator: str, block: int) -> Iterator[Any]:
    """As `texts`, in pieces of so many bytes, of which one at a time is in memory."""
    import pyarrow as pa
    from pyarrow import csv

    with opened() as file:
        names = header(file, separator)
    with opened() as file:
        for batch in csv.open_csv(_Pieces(file), *_options(names, separator, block)):
            yield pa.Table.from_batches([batch])


def typed(table: Any, types: Mapping[str, Kind], remedy: str = GIVEN) -> Any:
    """The columns of texts as the types given, and as what they seem to be where none is."""
    import pyarrow as pa

    arrays: list[Any] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        array = column.combine_chunks()
        arrays.append(retyped(name, array, types[name], remedy) if name in types else guessed(name, array))
    return pa.table(arrays, names=table.column_names)


def _options(names: list[str], separator: str, block: int) -> tuple[Any, Any, Any]:
    """How to read, parse and convert: all as text, on one thread, for with more Arrow does not say which row is bad."""
    import pyarrow as pa
    from pyarrow import csv

    texts = dict.fromkeys(names, pa.large_string())
    return (
        csv.ReadOptions(use_threads=False, block_size=block),
        csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        csv.ConvertOptions(column_types=texts, null_values=[""], strings_can_be_null=True),
    )


class _Pieces(io.RawIOBase):
    """A file in pieces that never end between CR and LF: of a quoted pair Arrow would lose the LF there."""

    def __init__(self, file: Any, room: TextRoom | None = None) -> None:
        self._file = file
        self._held = b""
        self._room = room

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._held + self._file.read(size - len(self._held) if size >= 0 else None)
        self._held = b""
        if b"\0" in piece:
            raise Malformed(_NUL)
        if self._room is not None:
            self._room.take(piece)
        if piece.endswith(b"\r") and len(piece) > 1:
            piece, self._held = piece[:-1], b"\r"
        return piece
