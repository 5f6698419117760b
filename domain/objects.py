"""The aggregate of the object store: which packs are condemned. What lies where is a table, not state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..events.envelope import Recorded
from ..events.objects import ObjectsCondemned


@dataclass(frozen=True, slots=True)
class Objects:
    """What the events of the object store add up to, as far as a decision needs it."""

    folds: ClassVar[tuple[type, ...]] = (ObjectsCondemned,)
    """The only type it is folded from: packs are many, and saves only ask which are condemned."""

    condemned: frozenset[str] = frozenset()


def evolve(objects: Objects, recorded: Recorded) -> Objects:
    """The object store after one more event."""
    match recorded.event:
        case ObjectsCondemned(packs=packs):
            return Objects(objects.condemned.union(packs))
        case _:
            return objects
