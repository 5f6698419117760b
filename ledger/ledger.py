"""The ledger: admits commands, on folded streams that it keeps in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Final

from ..domain.access.rights import ALL, Rights
from ..domain.state import Aggregate, empty
from ..errors import LeptonError, Unavailable
from ..events import forks
from ..events.actor import Actor
from ..events.sql.admission import Admission
from ..events.sql.rows import PlacementRow
from ..events.sql.store import OutcomeUnknown, Store
from .folding import PastFolds, folded, stored_types
from .folds import EVERY, At, Folds
from .transaction import Answer, Receipt, Request, receipt

if TYPE_CHECKING:
    from ..domain.commands import AnyCommand
    from .transaction import Transaction

CACHED_STREAMS: Final = 1024


class Ledger:
    """Admits commands and folds streams. Safe to share between threads; a forked child begins anew."""

    def __init__(self, store: Store, folds: Folds | None = None) -> None:
        self.store = store
        self._folds = folds
        self._begin()
        forks.guard(self)

    def before_fork(self) -> None:
        """Let no thread be in the middle of an admission, as far as it ends soon."""
        self._rests = self._lock.acquire(timeout=forks.PATIENCE)

    def after_fork(self, *, child: bool) -> None:
        """Let them go on; a child has none."""
        if child:
            self._begin()
        elif self._rests:
            self._lock.release()

    def _begin(self) -> None:
        self._lock = RLock()
        self._rests = False
        self._cache: OrderedDict[str, At] = OrderedDict()
        self._current: set[str] = set()
        """The cached streams that nobody has written to up to `seq` `_end` of the log."""
        self._end = 0
        self._leaf: bytes | None = None
        """The leaf at `_end`."""
        self._kept: dict[str, int] = {}
        """The versions of streams whose folds are kept on disk."""
        self._shared = False
        """Whether others had written to the log when it was looked at last."""
        self._past = PastFolds()

    def admit(
        self,
        command: AnyCommand,
        actor: Actor,
        *,
        key: str | None = None,
        time: datetime | None = None,
        causation: str | None = None,
        placements: Sequence[PlacementRow] = (),
        traceparent: str | None = None,
        rights: Rights = ALL,
    ) -> Receipt:
        """Decide a command and record its events; sent twice under one key it acts once.

        Raises `Forbidden` where `rights` do not allow it, `Refused` where a rule forbids it, `KeyReused` where the key
        came with other content, and `Unavailable`, carrying the key, where the database is away or what became of
        COMMIT could not be found out.
        """
        request = Request(
            command, actor, key or "", time, causation, placements, traceparent=traceparent, rights=rights
        )
        (answer,) = self.admit_all((request,))
        return receipt(answer)

    def admit_all(self, requests: Iterable[Request]) -> list[Answer]:
        """Decide commands in order and record their events in one transaction: an answer for each.

        After a COMMIT of unknown outcome they are sent once more: under the head's lock their keys tell what became of
        it. Raises `Unavailable` as `admit` does.
        """
        if not (requests := list(requests)):
            return []
        try:
            return self._admitted(requests)
        except OutcomeUnknown as error:
            try:
                return self._admitted(requests)
            except Unavailable as again:
                unknown = "under the same key, since whether the command was recorded is unknown"
                raise Unavailable(f"{again}, {unknown}", key=again.key) from error

    def _admitted(self, requests: Sequence[Request]) -> list[Answer]:
        with self.transaction(requests) as transaction:
            return [transaction.decide(request) for request in requests]

    @contextmanager
    def transaction(
        self, requests: Sequence[Request] = (), *, within: Admission | None = None
    ) -> Generator[Transaction]:
        """A transaction under the head's lock, to decide these requests in; `within` one that the caller commits.

        Raises `Unavailable` where the database is away, with the key of a single request; as `OutcomeUnknown` where
        COMMIT fails without saying what became of it, which the same requests sent again find out.
        """
        from .transaction import Transaction  # late: who only reads decides nothing

        key = requests[0].key if len(requests) == 1 else None
        with self._lock:
            try:
                with nullcontext(within) if within else self._admission(requests) as admission:
                    self._catch_up(admission)
                    transaction = Transaction(admission, f"/lepton/{self.store.ledger_id}", self._at)
                    yield transaction
                    transaction.insert()
            except Unavailable as error:
                error.key = error.key or key
                raise
            if within is None:  # else it is not committed yet
                self._remember(transaction)

    def _admission(self, requests: Sequence[Request]) -> AbstractContextManager[Admission]:
        keys = [request.key for request in requests]
        return self.store.admission(keys, self._end if self._shared else None)

    def as_of(self, seq: int) -> Ledger:
        """The ledger as it was behind event `seq`, to be read."""
        from .past import PastLedger

        return PastLedger(self, self._past, seq)

    def state(self, stream: str) -> Aggregate:
        """The aggregate of a stream as last committed."""
        return self.at(stream).state

    def at(self, stream: str) -> At:
        """As `state`, with the version of the stream that it is of."""
        with self._lock:
            fresh = stream not in self._cache
            at = self._cached(stream)
            at = folded(stream, at, self.store.stream(stream, at.version, stored_types(stream)))
            self._keep(stream, at)
            if fresh:
                self._keep_on_disk(stream, at)
            return at

    def close(self) -> None:
        """Keep on disk what was folded here, for the processes that come; what goes wrong with that harms nothing."""
        with self._lock, suppress(LeptonError):
            for stream, at in self._cache.items():
                self._keep_on_disk(stream, at)

    def _keep_on_disk(self, stream: str, at: At) -> None:
        if self._folds is not None and at.version - self._kept.get(stream, 0) >= EVERY:
            self._folds.write(stream, *at)
            self._kept[stream] = at.version

    def _catch_up(self, admission: Admission) -> None:
        """Know under the head's lock what of the cache still holds.

        Nothing of it does where the log is not the one that it was folded from: a database may be set back, to an old
        backup or with a replica, under a process that lives on.
        """
        head, end = admission.head.seq, self._end
        self._shared = 0 < end < head
        if self._shared:
            since = admission.since(end)
            leaf, self._current = since.leaf, self._current - since.streams
        else:
            leaf = admission.leaf if head == end else None
        if end and leaf != self._leaf:
            self._cache.clear()
            self._current.clear()

    def _at(self, admission: Admission, stream: str) -> At:
        """A stream's aggregate under the head's lock; nothing is read where nobody else has written since."""
        at = self._cached(stream)
        if stream in self._current:
            return at
        return folded(stream, at, admission.stream(stream, at.version, stored_types(stream)))

    def _remember(self, transaction: Transaction) -> None:
        for stream, at in transaction.states.items():
            self._keep(stream, at)
            self._past.note(stream, at)
        self._current.update(transaction.states)
        self._end, self._leaf = transaction.seq, transaction.leaf

    def _cached(self, stream: str) -> At:
        if (at := self._cache.get(stream)) is None:
            self._current.discard(stream)
            return self._kept_on_disk(stream)
        self._cache.move_to_end(stream)
        return at

    def _kept_on_disk(self, stream: str) -> At:
        if self._folds is None or (known := self._folds.read(stream)) is None:
            return At(empty(stream), 0)
        self._kept[stream] = known[1]
        return At(*known)

    def _keep(self, stream: str, at: At) -> None:
        self._cache[stream] = at
        if len(self._cache) > CACHED_STREAMS:
            self._cache.popitem(last=False)
