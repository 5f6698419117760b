"""The messages that were refused, told on a topic of their own, where their senders can see why."""

from __future__ import annotations

import re
from asyncio import to_thread
from typing import Final, Self

from ...errors import Unavailable
from ..bookmark import Bookmark, SentMark
from ..sql.rows import Rejected
from ..sql.store import Store
from .bookmark import known_again
from .clients import Outgoing, Reader, TopicRecord, Writer
from .cluster import Cluster

_ID: Final = "lepton-rejected"
_READ: Final = 500
_TOGETHER: Final = 50
"""Messages a batch; a reason has at most 2,000 characters."""


class Refusals:
    """Tells of refused messages in the order of their numbers; what the topic holds says where to go on."""

    def __init__(self, store: Store, last: int, end: int) -> None:
        self._store = store
        self._last = last
        self._end = end

    @classmethod
    async def taken_over(cls, store: Store, cluster: Cluster) -> Self:
        """Go on behind the last record there that is a copy of ours: what else lies there counts as nothing.

        Numbers begin anew with a database that was restored: better some are told twice than not at all.
        """
        async with Reader(cluster, "rejected") as reader:
            last, at = await _begun(store, reader)
            reader.seek(at.position)
            while messages := await reader.rest(_READ):
                for message in messages:
                    if id := await to_thread(_own, store, message):
                        last, at = id, Bookmark(message.offset + 1, reader.id, message.digest)
            await to_thread(store.note_sent, reader.name, SentMark(at, last))
            return cls(store, last, await reader.end())

    async def send(self, writer: Writer) -> None:
        """Send those that came since: the reason and where they lie, as headers.

        Raises `Unavailable` where they came to lie before what lay there: all is sent again then.
        """
        while found := await to_thread(self._store.rejected, self._last, _TOGETHER):
            sent = await writer.send("rejected", [_record(id, rejected) for id, rejected, _ in found])
            if sent.offset < self._end:
                raise Unavailable(
                    "the topic of rejected messages was made anew while it was written; they are sent again"
                )
            self._last, self._end = found[-1][0], sent.offset + len(found)


async def _begun(store: Store, reader: Reader) -> tuple[int, Bookmark]:
    """The number of the last copy that is known to be there, and where it ends; else 0 and the topic's beginning."""
    mark = await to_thread(store.sent, reader.name)
    if mark is not None and mark.at.position and await known_again(reader, mark.at):
        before = await reader.at(mark.at.position - 1)
        if before is not None and (id := await to_thread(_own, store, before)):
            return id, mark.at
    return 0, Bookmark(await reader.start(), reader.id)


def _own(store: Store, message: TopicRecord) -> int:
    """The number of the refused message that a record is the copy of, 0 where it is none."""
    told = dict(message.headers).get(_ID, b"")
    if not re.fullmatch(rb"[1-9]\d{0,17}", told):
        return 0
    rejected = next((each for id, each, _ in store.rejected(int(told) - 1, 1) if id == int(told)), None)
    if rejected is None:
        return 0
    ours = _record(int(told), rejected)
    return int(told) if (ours.value, (*ours.headers,)) == (message.value, (*message.headers,)) else 0


def _record(id: int, rejected: Rejected) -> Outgoing:
    """The reason, and where the message lies: its sender knows it by that. Its bytes go nowhere else."""
    place = f"{rejected.topic} {rejected.part} {rejected.position}"
    told = [(_ID, str(id)), ("lepton-reason", rejected.reason), ("lepton-place", place)]
    return Outgoing(b"", headers=tuple((name, text.encode()) for name, text in told))
