"""The log as its topic tells it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from functools import cached_property
from typing import Any, Final, Self, TypeVar

from pydantic_core import from_json

from ...errors import Damaged, Refused
from ..bookmark import SentMark
from ..log import Row
from ..sql.store import Store
from .bookmark import known_again
from .clients import LOOKED, Reader
from .cluster import Cluster
from .genuine import ByLeaf, ByRoot, ForeignRecords
from .loop_thread import LoopThread

GAP_SECONDS: Final = 60.0
"""How long a missing event may be on its way before it is reported: the relay sends again what was not acknowledged."""
_READ: Final = 2_000
_PLENTY: Final = 500
"""So many records at once tell of a reader that has not caught up."""

T = TypeVar("T")

log = logging.getLogger("lepton.kafka")


class KafkaLog:
    """Rows from the topic `lepton.events`, in order and without holes; a context manager, for one thread at a time.

    Beside the ledger's `store` a record counts where its leaf is the store's; without one, where the root of its batch
    follows from all before it, which is why the topic is then read from its beginning. Other records are passed over
    and counted in `strangers`; a jump is waited for to be sent again. It is synchronous, for so are its readers: the
    client runs in a thread of its own.
    """

    def __init__(self, cluster: Cluster, store: Store | None = None, strangers: ForeignRecords | None = None) -> None:
        self._cluster = cluster
        self._store = store
        self._reader = Reader(cluster, "events")
        self.strangers = strangers or ForeignRecords()
        self._judge = self._judge_after(0)
        self._ready: deque[Row] = deque()
        self._next = 0
        """The `seq` that reading stands before; 0 where it stands nowhere yet."""
        self._gap_since: float | None = None
        self._looked = 0.0

    def __enter__(self) -> Self:
        self._loop = LoopThread("kafka-log")
        try:
            self._do(self._reader.__aenter__())
            self.strangers.are_in(self._reader.id)
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
        return self._store.ledger_id if self._store else self._ledger_id

    @cached_property
    def _ledger_id(self) -> str:
        rows = self.read(0, 1)
        if not rows:
            raise Refused(f"{self._reader.name} holds no event yet; `lepton relay` sends them")
        return str(from_json(rows[0].envelope)["source"]).removeprefix("/lepton/")

    def end(self) -> int:
        """The last `seq`, 0 where there is none: what lies behind a hole is not counted."""
        mark = self._mark()
        if mark is not None and mark.seq is not None:
            self._reader_at(mark.at.position)
            self.strangers.as_known(*mark[2:])
            self._judge = self._judge_after(mark.seq)
        else:
            self._go_to(0)
        while self._fetched():
            self._ready.clear()
        self._next = 0
        return self._judge.seq

    def read(self, after: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows behind `seq` `after`, in order; none where the topic has no more.

        Raises `Damaged` where an event stays missing for a minute while later ones are there.
        """
        if self._next != after + 1:
            self._go_to(after)
        rows: list[Row] = []
        more = True
        while len(rows) < limit and more:
            # where records come one by one there is nothing to wait for: what is here now is the answer
            more = bool(self._ready or self._fetched()) and (not rows or len(self._ready) >= _PLENTY)
            while self._ready and len(rows) < limit:
                row = self._ready.popleft()
                if row.seq >= self._next:
                    rows.append(row)
                    self._next = row.seq + 1
        return rows

    def wait(self, seconds: float) -> bool:
        """Wait that long at most for more to read: whether there is more."""
        return bool(self._ready) or self._fetched(seconds)

    def _judge_after(self, seq: int) -> ByLeaf | ByRoot:
        return ByLeaf(self._store.leaves, self.strangers, seq) if self._store else ByRoot(self.strangers)

    def _go_to(self, after: int) -> None:
        """Stand before the record of a `seq`: its offset is at least seq − 1, for others may lie before it."""
        first, end = self._do(self._reader.start()), self._do(self._reader.end())
        place = 0 if self._store is None else min(after, end)
        self._reader_at(max(place, first))
        self._judge = self._judge_after(after)
        self._next = after + 1

    def _reader_at(self, offset: int) -> None:
        async def seek() -> None:
            self._reader.seek(offset)

        self._do(seek())
        self._ready.clear()
        self._gap_since = None

    def _mark(self) -> SentMark | None:
        """Up to where the relay found all to be in order, where the topic is still the one that it looked at."""
        mark = self._store.sent(self._reader.name) if self._store else None
        return mark if mark is not None and self._do(known_again(self._reader, mark.at)) else None

    def _fetched(self, wait: float = 0.0) -> bool:
        """Whether more records came, their rows behind those in `_ready`; at the topic's end it does not wait."""
        messages = self._do(self._reader.read(_READ, wait)) if wait else []
        if not messages:
            messages = self._do(self._reader.rest(_READ))
        self._ready += self._judge.take(messages)
        if not messages or self._reader.ended_at(messages[-1].offset + 1):
            self._ready += self._judge.rest()
        self.strangers.say(self._reader.name)
        if isinstance(self._judge, ByRoot):
            self._look_for_fork(self._judge)
        elif not messages:
            self._look_for_gap(self._judge)
        return bool(messages or self._ready)

    def _look_for_fork(self, judge: ByRoot) -> None:
        if judge.forked:
            raise Damaged(
                f"event {judge.seq} of {self._reader.name}",
                expected="the events that its last root follows from",
                found="others, which were read before; read it from its beginning",
            )
        if not self._ready and judge.seq == 0 and (first := self._do(self._reader.start())):
            raise Refused(f"{self._reader.name} begins at offset {first}; its beginning was taken away")

    def _look_for_gap(self, judge: ByLeaf) -> None:
        """Where what is due is missing it is looked from time to time whether it was passed over, or came meanwhile."""
        if not (judge.ahead or judge.early):
            self._gap_since = None
            return
        since = self._gap_since = self._gap_since or time.monotonic()
        if judge.ahead and time.monotonic() - since > GAP_SECONDS:
            raise Damaged(f"event {self._next} of Kafka", expected="present", found="later events only")
        if time.monotonic() - self._looked > LOOKED and self._store is not None and self._store.end() >= self._next:
            self._looked = time.monotonic()
            self._go_to(self._next - 1)
            self._gap_since = since

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.do(work)
