"""What is kept of trees between requests: of each model what never changes, and the lanes that were asked for last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from .lanes import Lanes, Lineage

if TYPE_CHECKING:
    from ....domain.model.state import ModelState
    from ....versions.overview.history import LogScope

KEPT: Final = 1_000_000
"""Versions of lineages, and of lanes, that are kept at most; those that were not asked for longest go first."""
FEW: Final = 500
"""Versions that are read one by one."""
V = TypeVar("V", bound="Lanes | Lineage")

Committed = tuple[str, Sequence[int], int]
"""Branch, parents within the model and event of a version."""


class KeptTrees:
    """The trees of a ledger's models. Who asks for one must be somebody who may read its model."""

    def __init__(self) -> None:
        self._lineages = _Recent[Lineage](KEPT)
        self._lanes = _Recent[Lanes](KEPT)
        self._lock = Lock()

    def tree(self, scope: LogScope, many: Callable[[str, int, int], Iterator[Committed]]) -> tuple[Lineage, Lanes]:
        """The lineage of a model, and the lanes of the versions that its log is asked of.

        `many` gives those of its versions above one number up to another; it may end early.
        """
        model = scope.model
        heads = model.live("branch")
        key = (model.name, len(model.versions), *heads.items(), scope.tips, scope.without)
        with self._lock:
            lineage = self._lineages.get(model.name) or Lineage()
            _fill(lineage, model, many)
            self._lineages.put(model.name, lineage, len(lineage))
            lanes = self._lanes.get(key)
        if lanes is None:
            every = range(1, len(model.versions) + 1)
            numbers = every if scope.tips is None else lineage.ancestry(scope.tips, scope.without)
            lanes = Lanes(lineage, numbers, heads)
            with self._lock:
                self._lanes.put(key, lanes, len(numbers))
        return lineage, lanes


def _fill(lineage: Lineage, model: ModelState, many: Callable[[str, int, int], Iterator[Committed]]) -> None:
    count = len(model.versions)
    if count - len(lineage) > FEW:
        for each in many(model.name, len(lineage), count):
            lineage.add(*each)
    for number in range(len(lineage) + 1, count + 1):
        version = model.version(number)
        lineage.add(version.event.branch, version.parents, version.seq)


class _Recent(Generic[V]):
    """Values by key, of sizes that come to no more than a bound, but for the last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = OrderedDict[object, tuple[V, int]]()

    def get(self, key: object) -> V | None:
        if (found := self._kept.get(key)) is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: object, value: V, size: int) -> None:
        self._kept[key] = value, size
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self._most:
            self._kept.popitem(last=False)
