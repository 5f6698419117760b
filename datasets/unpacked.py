"""What a Parquet or an Arrow file, or a stream, unpacks to, by its own account, before anything of it is unpacked."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

from ..errors import Malformed
from .memory import check_bytes, check_room, decoded

_FEW: Final = 256
"""Rows at once of texts that are written as what they share with the text before, and may grow with each row."""
_GROWING: Final = "DELTA_BYTE_ARRAY"
_MAGIC: Final = b"ARROW1"
_CONTINUED: Final = 0xFFFFFFFF
"""What stands before the length of a message since Arrow 0.15."""
_DICTIONARY: Final = 2
_BATCH: Final = 3
_NOT_PACKED: Final = -1
"""What stands in the place of a buffer's length where packing it would have been in vain."""


def parquet_table(file: Any) -> Any:
    """The table of a Parquet file. Raises `Refused` where it would take more memory than there is."""
    import pyarrow as pa
    from pyarrow import parquet

    metadata = parquet.read_metadata(file)
    check_room(metadata.num_rows, metadata.num_columns)
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(metadata.num_columns)]
    check_bytes(sum(each.total_uncompressed_size for each in chunks))
    file.seek(0)
    known: Any = parquet.ParquetFile(file).schema_arrow
    texts = {field.name for field in known if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)}
    once = {each.path_in_schema for each in chunks if any("DICTIONARY" in word for word in each.encodings)} & texts
    file.seek(0)
    options: dict[str, Any] = {"read_dictionary": sorted(once), "page_checksum_verification": True}
    if any(_GROWING in each.encodings for each in chunks):
        table = _in_parts(parquet.ParquetFile(file, **options))
    else:
        table = parquet.read_table(file, **options)
    for place, name in enumerate(table.column_names):
        if name in once:
            table = table.set_column(place, name, decoded(name, table.column(place)))
    return table


def _in_parts(file: Any) -> Any:
    import pyarrow as pa

    batches, size = list[Any](), 0
    for batch in file.iter_batches(_FEW):
        size += batch.nbytes
        check_bytes(size)
        batches.append(batch)
    return pa.Table.from_batches(batches, batches[0].schema if batches else file.schema_arrow)


def arrow_table(file: Any) -> Any:
    """The table of an Arrow file. Raises `Refused` where it would take more memory than there is."""
    import pyarrow as pa
    from pyarrow import ipc

    raw: Any = file.read_buffer()
    reader: Any = ipc.open_file(pa.BufferReader(raw))
    _check(_parts(memoryview(raw)), reader)
    return reader.read_all()


def arrow_stream_table(file: Any) -> Any:
    """The table of an Arrow stream. Raises `Refused` where it would take more memory than there is."""
    import pyarrow as pa
    from pyarrow import ipc

    raw: Any = file.read_buffer()
    reader: Any = ipc.open_stream(pa.BufferReader(raw))
    _check(_stream_parts(memoryview(raw)), reader)
    return reader.read_all()


def _check(parts: Iterator[tuple[int, int]], reader: Any) -> None:
    """Hold that the rows of all parts find room, and the bytes that they unpack to."""
    try:
        known = list(parts)
    except (struct.error, IndexError):
        raise Malformed("its bytes are not of that kind; check the file") from None
    check_room(sum(rows for rows, _ in known), len(reader.schema.names))
    check_bytes(sum(size for _, size in known))


def _parts(raw: memoryview) -> Iterator[tuple[int, int]]:
    """The rows of each batch that the footer names, none of a dictionary, and the bytes that its buffers unpack to."""
    end = len(raw) - len(_MAGIC) - 4
    (length,) = struct.unpack_from("<i", raw, end)
    footer = raw[end - length : end]
    root = _Table.root(footer)
    for place, is_dictionary in ((2, True), (3, False)):  # dictionaries, recordBatches
        for offset, described, _ in root.structs(place, "<qi4xq"):
            (marked,) = struct.unpack_from("<I", raw, offset)
            message = _Table.root(raw[offset + (8 if marked == _CONTINUED else 4) : offset + described])
            yield _part(raw, message, offset + described, is_dictionary=is_dictionary)


def _stream_parts(raw: memoryview) -> Iterator[tuple[int, int]]:
    """As `_parts`, of the messages of a stream, one after another."""
    offset = 0
    while offset + 4 <= len(raw):
        (size,) = struct.unpack_from("<I", raw, offset)
        offset += 4
        if size == _CONTINUED:
            (size,) = struct.unpack_from("<I", raw, offset)
            offset += 4
        if not size:
            return
        body = offset + size
        message = _Table.root(raw[offset:body])
        if (kind := message.byte(1)) in (_DICTIONARY, _BATCH):  # header_type
            yield _part(raw, message, body, is_dictionary=kind == _DICTIONARY)
        offset = body + max(0, message.whole(3))  # bodyLength


def _part(raw: memoryview, message: _Table, body: int, *, is_dictionary: bool) -> tuple[int, int]:
    """The rows of a message's batch, none of a dictionary, and what its buffers unpack to."""
    batch = message.table(2)  # header
    batch = batch.table(1) if is_dictionary else batch  # data
    buffers = batch.structs(2, "<qq") if batch.has(3) else ()  # compression
    size = sum(_unpacked(raw, body + start, held) for start, held in buffers)
    return 0 if is_dictionary else batch.whole(0), size


def _unpacked(raw: memoryview, start: int, held: int) -> int:
    """What a compressed buffer unpacks to: its first 8 bytes say so."""
    if not held:
        return 0
    (size,) = struct.unpack_from("<q", raw, start)
    return held if size == _NOT_PACKED else max(0, size)


class _Table:
    """A table of a flatbuffer, as Arrow's Message.fbs, Schema.fbs and File.fbs lay them out."""

    def __init__(self, raw: memoryview, place: int) -> None:
        self._raw = raw
        self._place = place
        (back,) = struct.unpack_from("<i", raw, place)
        self._index = place - back
        (self._size,) = struct.unpack_from("<H", raw, self._index)

    @classmethod
    def root(cls, raw: memoryview) -> _Table:
        """The table that a buffer begins with."""
        return cls(raw, struct.unpack_from("<I", raw)[0])

    def has(self, field: int) -> bool:
        """Whether a field is there."""
        return self._offset(field) > 0

    def whole(self, field: int) -> int:
        """A whole number of 64 bits, 0 where it is not there."""
        offset = self._offset(field)
        return struct.unpack_from("<q", self._raw, self._place + offset)[0] if offset else 0

    def byte(self, field: int) -> int:
        """A whole number of 8 bits, 0 where it is not there."""
        offset = self._offset(field)
        return self._raw[self._place + offset] if offset else 0

    def table(self, field: int) -> _Table:
        """The table that a field leads to. Raises `IndexError` where there is none."""
        return _Table(self._raw, self._led_to(field))

    def structs(self, field: int, layout: str) -> Iterator[tuple[int, ...]]:
        """The structs of a vector; none where it is not there."""
        if self.has(field):
            start, size = self._led_to(field), struct.calcsize(layout)
            (count,) = struct.unpack_from("<I", self._raw, start)
            for place in range(start + 4, start + 4 + count * size, size):
                yield struct.unpack_from(layout, self._raw, place)

    def _offset(self, field: int) -> int:
        entry = 4 + 2 * field
        return struct.unpack_from("<H", self._raw, self._index + entry)[0] if entry < self._size else 0

    def _led_to(self, field: int) -> int:
        if not (offset := self._offset(field)):
            raise IndexError(field)
        place = self._place + offset
        return place + struct.unpack_from("<I", self._raw, place)[0]
