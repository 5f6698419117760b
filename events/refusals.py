"""The messages that were refused, told on a topic of their own, where their senders can see why."""

from __future__ import annotations

from asyncio import to_thread
from typing import Final, Self

from .cluster import Cluster
from .kafka import Outgoing, Reader, Writer
from .rows import Rejected
from .store import Store

_ID: Final = "lepton-rejected"
_TOGETHER: Final = 50
"""Messages a batch; a reason has at most 2,000 characters."""


class Refusals:
    """Tells of refused messages in the order of their numbers; as the relay, it keeps no cursor but the topic's end."""

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
        """Send those that came since: the reason and where they lie, as headers."""
        while found := await to_thread(self._store.rejected, self._last, _TOGETHER):
            await writer.send("rejected", [_record(id, rejected) for id, rejected, _ in found])
            self._last = found[-1][0]


def _record(id: int, rejected: Rejected) -> Outgoing:
    """The reason, and where the message lies: its sender knows it by that. Its bytes go nowhere else."""
    place = f"{rejected.topic} {rejected.part} {rejected.position}"
    told = [(_ID, str(id)), ("lepton-reason", rejected.reason), ("lepton-place", place)]
    return Outgoing(b"", headers=tuple((name, text.encode()) for name, text in told))
