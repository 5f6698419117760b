"""The messages that were refused, copied to a topic of their own, where their senders can see why."""

from __future__ import annotations

from asyncio import to_thread
from base64 import b64decode
from typing import Final, Self

from .cluster import Cluster
from .kafka import Outgoing, Reader, Writer
from .mail import RESULTS
from .rows import Rejected
from .store import Store

_ID: Final = "lepton-rejected"
_TOGETHER: Final = 1
"""Messages a batch: one may be as large as a batch."""
_LARGEST: Final = 700_000
"""Bytes of a message that is copied whole."""


class Refusals:
    """Copies refused messages in the order of their numbers; as the relay, it keeps no cursor but the topic's end."""

    def __init__(self, store: Store, last: int) -> None:
        self._store = store
        self._last = last

    @classmethod
    async def taken_over(cls, store: Store, cluster: Cluster) -> Self:
        """Go on behind what the topic holds last."""
        async with Reader(cluster, "rejected") as reader:
            last = await reader.last()
        sent = int(dict(last.headers).get(_ID, b"0")) if last else 0
        # numbers begin anew with a database that was restored: better some are told twice than not at all
        known = await to_thread(store.rejected, sent - 1, 1) if sent else True
        return cls(store, sent if known else 0)

    async def send(self, writer: Writer) -> None:
        """Send those that came since: the exact bytes as value, the reason and where they lay as headers."""
        while found := await to_thread(self._store.rejected, self._last, _TOGETHER):
            await writer.send("rejected", [_record(id, rejected) for id, rejected, _ in found])
            self._last = found[-1][0]


def _record(id: int, rejected: Rejected) -> Outgoing:
    """The copy; of what is too large for one, or a worker said to the ledger alone, the reason and its place."""
    own = [(name, b64decode(value)) for name, value in rejected.headers]
    place = f"{rejected.topic} {rejected.part} {rejected.position}"
    told = [(_ID, str(id)), ("lepton-reason", rejected.reason[:10_000]), ("lepton-place", place)]
    headers = [(name, text.encode()) for name, text in told]
    size = len(rejected.raw) + sum(len(name) + len(value) for name, value in own)
    if size > _LARGEST or rejected.topic.endswith(RESULTS):
        return Outgoing(b"", headers=(*headers, ("lepton-omitted", f"{size} bytes".encode())))
    return Outgoing(rejected.raw, headers=(*own, *headers))
