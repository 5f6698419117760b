"""Rows of a file in typed pieces, of which one at a time is in memory: what `read.labelled` reads, row for row."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from ...errors import Malformed
from ..delimited import BLOCKS, STRADDLES, text_pieces
from ..pandas_index import check_names, index_columns
from ..read import PICTURES, SEPARATORS, complaints, folder_at, kind_of, open_rows
from ..selection import Selection, listed
from ..sources.named_arrays import npz_table
from ..types import retyped
from .guess import Guess, converted

AT_ONCE: Final = (4 << 20, *BLOCKS)
"""Bytes of text that are parsed at once, as `delimited.BLOCKS`: Arrow reads some thirty such blocks ahead."""
ROWS: Final = 1 << 16
"""Rows of a Parquet file that are unpacked at once."""
_FEW: Final = 256
"""The same where a page may hold texts that grow with each row."""


def file_pieces(path: str, label: str | None, chosen: Selection) -> Iterator[Any]:
    """Arrow tables of the chosen columns and the label's, in the file's order of rows and columns.

    A text file is read twice: what its columns hold is known only once all of it was seen. Raises as `read.labelled`.
    """
    kind, opened = kind_of(path), partial(open_rows, path)
    with complaints(path):
        if kind in SEPARATORS:
            yield from _texts(opened, SEPARATORS[kind], label, chosen)
        elif kind == PICTURES:
            folder = folder_at(path)
            yield from _chosen(folder.schema, lambda _: folder.pieces(), label, chosen)
        else:
            with opened() as file:
                schema, batches = _KINDS[kind](file)
                yield from _chosen(schema, batches, label, chosen)


def _texts(opened: Callable[[], Any], separator: str, label: str | None, chosen: Selection) -> Iterator[Any]:
    import pyarrow as pa

    block, kinds = _types(opened, separator, label, chosen)
    for piece in text_pieces(opened, separator, block):
        arrays = {name: converted(name, piece.column(name).combine_chunks(), kind) for name, kind in kinds.items()}
        yield pa.table(arrays)


def _types(
    opened: Callable[[], Any], separator: str, label: str | None, chosen: Selection
) -> tuple[int, dict[str, Any]]:
    """The bytes at once in which all rows can be read, and the Arrow type of each column."""
    import pyarrow as pa

    for block in AT_ONCE:
        guesses: dict[str, Guess] | None = None
        try:
            for piece in text_pieces(opened, separator, block):
                if guesses is None:
                    names = wanted(piece.schema, label, chosen)
                    guesses = {name: Guess(name, chosen.types.get(name)) for name in names}
                for name, guess in guesses.items():
                    guess.update(piece.column(name).combine_chunks())
        except pa.ArrowInvalid as error:
            if STRADDLES not in str(error):
                raise
            continue
        return block, {name: guess.decided() for name, guess in (guesses or {}).items()}
    raise Malformed(f"a row of it has more than {BLOCKS[-1]:,} bytes; is a quotation mark missing?")


def _chosen(
    schema: Any, batches: Callable[[list[str]], Iterator[Any]], label: str | None, chosen: Selection
) -> Iterator[Any]:
    import pyarrow as pa

    names = wanted(schema, label, chosen)
    for batch in batches(names):
        columns = {name: batch.column(batch.schema.get_field_index(name)) for name in names}
        yield pa.table(
            {
                name: retyped(name, array, chosen.types[name]) if name in chosen.types else array
                for name, array in columns.items()
            }
        )


def _parquet(file: Any) -> tuple[Any, Callable[[list[str]], Iterator[Any]]]:
    from pyarrow import parquet

    reader: Any = parquet.ParquetFile(file, page_checksum_verification=True)
    groups = (reader.metadata.row_group(place) for place in range(reader.metadata.num_row_groups))
    chunks = (group.column(place) for group in groups for place in range(group.num_columns))
    few = any("DELTA_BYTE_ARRAY" in each.encodings for each in chunks)
    return reader.schema_arrow, lambda names: reader.iter_batches(_FEW if few else ROWS, columns=names)


def _arrow(file: Any) -> tuple[Any, Callable[[list[str]], Iterator[Any]]]:
    from pyarrow import ipc

    reader: Any = ipc.open_file(file)
    return reader.schema, lambda _: (reader.get_batch(place) for place in range(reader.num_record_batches))


def _stream(file: Any) -> tuple[Any, Callable[[list[str]], Iterator[Any]]]:
    from pyarrow import ipc

    reader: Any = ipc.open_stream(file)
    return reader.schema, lambda _: iter(reader)


def _npz(file: Any) -> tuple[Any, Callable[[list[str]], Iterator[Any]]]:
    table = npz_table(file)
    return table.schema, lambda _: iter(table.to_batches())


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "parquet": _parquet, "arrow": _arrow, "arrow stream": _stream, "npz": _npz,
}  # fmt: skip


def wanted(schema: Any, label: str | None, chosen: Selection) -> list[str]:
    """The columns to read, in the file's order. Raises `Malformed` where one is not there, twice, or has no name."""
    present: list[str] = schema.names
    if label is not None and label not in present:
        raise Malformed(f"it has no column {label!r} for the labels; it has {listed(present)}")
    index = () if chosen.columns is not None else index_columns(schema)
    wanted = {name for name in chosen.names(present, label) if name not in index}
    check_names(present, wanted)
    names = [name for name in present if name in wanted or name == label]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Malformed(f"it has two columns named {twice!r}; rename one")
    return names
