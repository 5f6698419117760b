"""What is kept of trees between requests: of each model what never changes, and the lanes that were asked for last."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from .lanes import Lanes, Lineage

if TYPE_CHECKING:
    from ....domain.model.state import ModelState
    from ....versions.overview.history import LogScope

LINEAGES: Final = 1_000_000
"""Versions of lineages that are kept at most; those that were not asked for longest go first."""
LANES: Final = 64 << 20
"""Bytes of lanes, likewise."""
ENTRIES: Final = 500
"""Lineages, and lanes, that are kept at most."""
FEW: Final = 500
"""Versions that are read one by one."""
V = TypeVar("V")

Committed = tuple[str, Sequence[int], int]
"""Branch, parents within the model and event of a version."""


@dataclass
class _Growing:
    """A lineage, and the turn of whoever makes it longer."""

    lineage: Lineage = field(default_factory=Lineage)
    turn: Lock = field(default_factory=Lock)


class KeptTrees:
    """The trees of a ledger's models. Who asks for one must be somebody who may read its model."""

    def __init__(self) -> None:
        self.lineages = RecentTrees[_Growing](LINEAGES)
        self.lanes = RecentTrees[Lanes](LANES)
        self._lock = Lock()

    def tree(self, scope: LogScope, many: Callable[[str, int, int], Iterator[Committed]]) -> tuple[Lineage, Lanes]:
        """The lineage of a model, and the lanes of the versions that its log is asked of.

        `many` gives those of its versions above one number up to another; it may end early.
        """
        model = scope.model
        lineage = self._lineage(model, many)
        heads = model.live("branch")
        key = (model.name, len(model.versions), _digest(heads), _digest((scope.tips, scope.without)))
        if (lanes := self.lanes.get(key)) is None:
            every = range(1, len(model.versions) + 1)
            numbers = every if scope.tips is None else lineage.ancestry(scope.tips, scope.without)
            lanes = Lanes(lineage, numbers, heads)
            self.lanes.put(key, lanes, lanes.size)
        return lineage, lanes

    def _lineage(self, model: ModelState, many: Callable[[str, int, int], Iterator[Committed]]) -> Lineage:
        """The lineage as far as the model reaches. Nobody waits for that of another model."""
        with self._lock:
            growing = self.lineages.get(model.name) or _Growing()
            self.lineages.put(model.name, growing, len(growing.lineage))
        with growing.turn:
            if len(model.versions) > len(growing.lineage):
                _fill(growing.lineage, model, many)
                self.lineages.put(model.name, growing, len(growing.lineage))
        return growing.lineage


def _digest(told: object) -> bytes:
    return hashlib.sha256(repr(told).encode()).digest()


def _fill(lineage: Lineage, model: ModelState, many: Callable[[str, int, int], Iterator[Committed]]) -> None:
    count = len(model.versions)
    if count - len(lineage) > FEW:
        for each in many(model.name, len(lineage), count):
            lineage.add(*each)
    for number in range(len(lineage) + 1, count + 1):
        version = model.version(number)
        lineage.add(version.event.branch, version.parents, version.seq)


class RecentTrees(Generic[V]):
    """Values by key, of sizes that come to no more than a bound, but for the last; any thread may ask."""

    def __init__(self, most: int, entries: int = ENTRIES) -> None:
        self.size = 0
        """Of all that is kept."""
        self._most = most
        self._entries = entries
        self._kept = OrderedDict[object, tuple[V, int]]()
        self._lock = Lock()

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._kept)

    def get(self, key: object) -> V | None:
        """A value, asked for just now; None where it is not kept."""
        with self._lock:
            if (found := self._kept.get(key)) is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: object, value: V, size: int) -> None:
        """Keep a value in place of what the key had."""
        with self._lock:
            self.size += size - self._kept.pop(key, (value, 0))[1]
            self._kept[key] = value, size
            while len(self._kept) > 1 and (self.size > self._most or len(self._kept) > self._entries):
                self.size -= self._kept.popitem(last=False)[1][1]
