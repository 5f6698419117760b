"""Where a reader goes on in a partition: where its bookmark lies, if the topic is still the one that was read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..bookmark import Bookmark

if TYPE_CHECKING:
    from .clients import Reader

log = logging.getLogger("lepton.kafka")


async def resumed(reader: Reader, bookmark: Bookmark | None) -> int:
    """The offset to read on from, which the reader is left at. What is not as it was left is told in the log.

    A topic that was made anew, or lost records at its end, is read from its beginning: whoever reads knows again what
    was taken in before.
    """
    first, end = await reader.start(), await reader.end()
    place = first if not (bookmark and bookmark.position) else max(await _place(reader, bookmark, first, end), first)
    reader.seek(place)
    return place


async def known_again(reader: Reader, bookmark: Bookmark) -> bool:
    """Whether a partition is still the one that a bookmark is in, with the record before it as it was."""
    if None not in (bookmark.topic, reader.id) and bookmark.topic != reader.id:
        return False
    if not await reader.start() <= bookmark.position <= await reader.end():
        return False
    if bookmark.digest is None:
        return True
    before = await reader.at(bookmark.position - 1)
    return before is not None and before.digest == bookmark.digest


async def _place(reader: Reader, bookmark: Bookmark, first: int, end: int) -> int:
    name, position = reader.name, bookmark.position
    anew = f"it is read from its beginning, offset {first}, where {end - first} records lie; what of it is known is"
    if None not in (bookmark.topic, reader.id) and bookmark.topic != reader.id:
        log.error("%s was deleted and made anew after it was read up to offset %d; %s skipped", name, position, anew)
        return first
    if position > end:
        what = (
            "ends at offset %d and was read up to %d: %d records that were read are gone from it, or it was made anew"
        )
        log.error(f"%s {what}; %s skipped", name, end, position, position - end, anew)
        return first
    if position < first:
        log.error(
            "records %d to %d of %s were deleted by its retention before they were read: %d records are lost",
            *(position, first - 1, name, first - position),
        )
        return first
    if bookmark.digest is None or position == first:
        if bookmark.topic is None and reader.id is not None:
            log.info("%s is taken for the topic that was read up to offset %d; its id is kept now", name, position)
        return position
    before = await reader.at(position - 1)
    if before is not None and before.digest != bookmark.digest:
        log.error("%s holds another record at offset %d than was read there; %s skipped", name, position - 1, anew)
        return first
    return position
