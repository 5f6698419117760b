"""The log as its topic tells it, for readers that know no database."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Sequence
from functools import cached_property
from typing import Any, Final, Self, TypeVar

from pydantic_core import from_json

from ..errors import Damaged, Refused
from .cluster import Cluster
from .kafka import Message, Reader
from .log import Row
from .loop_thread import LoopThread
from .merkle import Frontier, leaf_hash
from .relay import ROOT
from .sequence import sequence

GAP_SECONDS: Final = 60.0
"""How long a missing event may be on its way before it is reported: the relay sends again what was not acknowledged."""
_READ: Final = 2_000
_PLENTY: Final = 500
"""So many records at once tell of a reader that has not caught up."""
_NOTHING: Final = 0.25
"""Seconds to wait for records that the broker says are there."""

T = TypeVar("T")


class KafkaLog:
    """Rows from the topic `lepton.events`, in order and without holes; a context manager, for one thread at a time.

    Records that were sent twice are passed over, and a jump is waited for to be sent again. Read from the beginning,
    each root that the relay sent is compared with the tree over what came. It is synchronous, for so are its readers:
    the client runs in a thread of its own.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._reader = Reader(cluster, "events")
        self._ahead: list[Message] = []
        self._next = 0
        """The `seq` that reading stands before; 0 where it stands nowhere yet."""
        self._tree: Frontier | None = None
        """The tree over all that came before `_next`, where reading began at the beginning."""
        self._gap_since: float | None = None

    def __enter__(self) -> Self:
        self._loop = LoopThread("kafka-log")
        try:
            self._do(self._reader.__aenter__())
        except BaseException:
            self._loop.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._do(self._reader.__aexit__())
        finally:
            self._loop.stop()

    @property
    def ledger_id(self) -> str:
        """The id of the ledger, which `source` bears. `Refused` where the topic is empty."""
        return self._ledger_id

    @cached_property
    def _ledger_id(self) -> str:
        rows = self.read(0, 1)
        if not rows:
            raise Refused(f"{self._cluster.topic('events')} holds no event yet; `lepton relay` sends them")
        return str(from_json(rows[0].envelope)["source"]).removeprefix("/lepton/")

    def end(self) -> int:
        """The last `seq`, 0 where there is none."""
        self._next, self._ahead = 0, []
        last = self._do(self._reader.last())
        return 0 if last is None else sequence(last.value)

    def read(self, after: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows behind `seq` `after`, in order; none where the topic has no more.

        Raises `Damaged` where an event stays missing for a minute, or a root is not that of the events before it.
        """
        if self._next != after + 1:
            self._go_to(after)
        rows: list[Row] = []
        more = True
        while len(rows) < limit and more:
            # where records come one by one there is nothing to wait for: what is here now is the answer
            more = (self._ahead or self._fetched()) and (not rows or len(self._ahead) >= _PLENTY)
            while self._ahead and len(rows) < limit:
                self._take(self._ahead.pop(), rows)
        return rows

    def wait(self, seconds: float) -> bool:
        """Wait that long at most for more to read: whether there is more."""
        return bool(self._ahead) or self._fetched(seconds)

    def _go_to(self, after: int) -> None:
        """Stand before the record of a `seq`: its offset is at least seq − 1, for some records may be there twice."""
        first = self._do(self._reader.start())
        if first > after:
            raise Refused(f"{self._cluster.topic('events')} begins at offset {first}; its beginning was taken away")
        self._reader_at(min(after, self._do(self._reader.end())))
        self._next, self._tree = after + 1, Frontier() if after == 0 else None

    def _reader_at(self, offset: int) -> None:
        async def seek() -> None:
            self._reader.seek(offset)

        self._do(seek())
        self._ahead = []

    def _fetched(self, wait: float = 0.0) -> bool:
        """Whether more records came, the next one last in `_ahead`; at the end of the topic it does not wait."""
        messages = self._do(self._reader.read(_READ, wait))
        if not messages and self._do(self._reader.lacks()):
            messages = self._do(self._reader.read(_READ, max(wait, _NOTHING)))
        self._ahead = messages[::-1]
        if not messages:
            self._look_for_gap()
        return bool(messages)

    def _take(self, message: Message, rows: list[Row]) -> None:
        seq = sequence(message.value)
        if seq > self._next:
            self._gap_since = self._gap_since or time.monotonic()
        if seq != self._next:
            return
        leaf = leaf_hash(message.value)
        if self._tree is not None:
            self._tree, _ = self._tree.extended((leaf,))
            self._compare_root(message)
        rows.append(Row(seq, leaf, message.value))
        self._next, self._gap_since = seq + 1, None

    def _compare_root(self, message: Message) -> None:
        assert self._tree is not None
        told = dict(message.headers).get(ROOT)
        if told is not None and told.decode("ascii", "replace") != (found := self._tree.root().hex()):
            raise Damaged(f"events 1 to {self._next} of Kafka", expected=f"root {told!r}", found=f"root {found}")

    def _look_for_gap(self) -> None:
        if self._gap_since is not None and time.monotonic() - self._gap_since > GAP_SECONDS:
            raise Damaged(f"event {self._next} of Kafka", expected="present", found="later events only")

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.do(work)
