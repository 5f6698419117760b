"""Folding: the newer rows of a stream onto what it added up to, and what it added up to at places in its past."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final

from ..domain.state import evolve, folded_types
from ..errors import Damaged
from ..events.envelope import decode
from ..events.log import Row
from ..events.upcast import stored_names
from .folds import At

KEPT: Final = 32
LATEST: Final = 256
"""What writes left behind them that is kept: their answers are told as of then, while others write."""
"""Sums of the past that are kept, of all streams together: those used last. They share what is equal in them."""


class PastFolds:
    """What streams added up to at some of their versions, so that the next look at the past folds on from there."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], At] = OrderedDict()
        self._latest: OrderedDict[tuple[str, int], At] = OrderedDict()
        self._lock = Lock()

    def before(self, stream: str, version: int) -> Sequence[At]:
        """What is known of a stream at this version and before, the latest first."""
        with self._lock:
            found = [at for (name, _), at in self._kept.items() if name == stream and at.version <= version]
        return sorted(found, key=lambda at: at.version, reverse=True)

    def keep(self, stream: str, at: At) -> None:
        """Remember what a stream added up to."""
        with self._lock:
            self._kept[stream, at.version] = at
            self._kept.move_to_end((stream, at.version))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def left(self, stream: str, version: int) -> At | None:
        """What a write left of a stream at this version, if that was noted lately."""
        with self._lock:
            return self._latest.get((stream, version))

    def note(self, stream: str, at: At) -> None:
        """Remember what a write left of a stream, for as long as its answer may take."""
        with self._lock:
            self._latest[stream, at.version] = at
            if len(self._latest) > LATEST:
                self._latest.popitem(last=False)


def folded(stream: str, at: At, newer: tuple[int, Sequence[Row]]) -> At:
    """An aggregate with its newer rows. Raises `Damaged` where they do not follow."""
    version, rows = newer
    state, last, leaf = at
    whole = folded_types(stream) is None
    for row in rows:
        recorded = decode(row.envelope, row.leaf, row.seq)
        follows = recorded.stream_version == last + 1 if whole else recorded.stream_version > last
        if recorded.stream != stream or not follows:
            expected = f"version {last + 1} of {stream}" if whole else f"an event of {stream} behind version {last}"
            raise Damaged(f"event {row.seq}", expected=expected, found=f"{recorded.stream} {recorded.stream_version}")
        state, last, leaf = evolve(state, recorded), recorded.stream_version, row.leaf
    return At(state, version, leaf if last == version else None)


def stored_types(stream: str) -> tuple[str, ...] | None:
    """The stored names of the only types a stream's aggregate is folded from, None where it is all."""
    types = folded_types(stream)
    return types and tuple(name for kind in types for name in stored_names(kind))
