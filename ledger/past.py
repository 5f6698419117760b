"""The ledger as it was behind an event: streams folded up to there, and nothing is admitted."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..domain.state import Aggregate, empty, folded_types
from ..errors import ReadOnly
from ..events.sql.admission import Admission
from ..events.sql.past_store import PastStore
from .folding import PastFolds, folded, stored_types
from .folds import At
from .ledger import Ledger

if TYPE_CHECKING:
    from .transaction import Answer, Request, Transaction

STRIDE: Final = 5000
"""Events of a stream that are read at once, and after which what they add up to is kept."""


class PastLedger(Ledger):
    """A ledger behind event `until`, for who reads."""

    def __init__(self, present: Ledger, folds: PastFolds, until: int) -> None:
        # nothing of its own is open, so a fork need not wait for it
        self.store: PastStore = PastStore(present.store, until)
        self._present = present
        self._past = folds
        self._seen: dict[str, At] = {}

    def before_fork(self) -> None:
        """Nothing is at work."""

    def after_fork(self, *, child: bool) -> None:
        """Nothing was at work."""

    def close(self) -> None:
        """Nothing is open."""

    def as_of(self, seq: int) -> Ledger:
        return self._present.as_of(min(seq, self.store.until))

    def at(self, stream: str) -> At:
        """A stream's aggregate as it was: as it is, where nothing came since."""
        if (seen := self._seen.get(stream)) is None or self.store.leaf(stream, seen.version) != seen.leaf:
            self._seen[stream] = seen = self._looked(stream)
        return seen

    def state(self, stream: str) -> Aggregate:
        return self.at(stream).state

    def admit_all(self, requests: Iterable[Request]) -> list[Answer]:  # noqa: ARG002
        raise ReadOnly(self.store.until)

    @contextmanager
    def transaction(
        self,
        requests: Sequence[Request] = (),  # noqa: ARG002
        *,
        within: Admission | None = None,  # noqa: ARG002
    ) -> Generator[Transaction]:
        raise ReadOnly(self.store.until)
        yield

    def _looked(self, stream: str) -> At:
        version = self.store.version_at(stream)
        if (left := self._past.left(stream, version)) is not None and self.store.leaf(stream, version) == left.leaf:
            return left
        now = self._present.at(stream)
        return now if version >= now.version else self._folded(stream, version)

    def _folded(self, stream: str, version: int) -> At:
        at = self._nearest(stream, version)
        if folded_types(stream) is not None:  # few of its events count
            return folded(stream, at, self.store.stream(stream, at.version, stored_types(stream)))
        while at.version < version:
            last = min(version, at.version - at.version % STRIDE + STRIDE)
            at = folded(stream, at, (last, self.store.span(stream, at.version, last)))
            self._past.keep(stream, at)
        return at

    def _nearest(self, stream: str, version: int) -> At:
        """The latest known state that the log still has the event of: a database may be set back."""
        for at in self._past.before(stream, version):
            if at.leaf is not None and self.store.leaf(stream, at.version) == at.leaf:
                return at
        return At(empty(stream), 0)
