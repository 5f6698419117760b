"""Looking for damage: every payload is decoded and compared, and nothing found stops the search."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Damaged
from .blob import unfold_blob
from .codec import check
from .delta import Slot
from .objects import ObjectStore
from .pack import MAGIC, Indexed, Placement, read_index
from .threads import in_order
from .way import ChunkPlan, Placements, StoredDelta, Way, check_chunk


def check_pack(objects: ObjectStore, key: str, index: str) -> Iterator[Damaged]:
    """Every damage of a pack, whose index should have the digest `index`. Raises `Unavailable` only."""
    try:
        found = read_index(objects, key)
        head = objects.get(key, 0, len(MAGIC))
    except Damaged as error:
        yield error
        return
    if found.digest != index:
        yield Damaged(f"the index of pack {key}", expected=index, found=found.digest)
    if head != MAGIC:
        yield Damaged(f"pack {key}", expected=f"a beginning of {MAGIC!r}", found=f"{head!r}")
    for damage in in_order(lambda line: check_entry(objects, key, line), found.entries):
        if damage is not None:
            yield damage


def check_way(way: Way, places: Placements) -> Iterator[Damaged]:
    """Make every chunk of a version, and name what keeps any from coming out right, each thing once."""
    told: set[str] = set()
    slots = (Slot(entry.name, index) for entry in way.target.owners for index in range(len(entry.chunks)))
    for damages in in_order(lambda plans: _check_plans(way, plans), way.batches(places, slots)):
        for damage in damages:
            if str(damage) not in told:
                told.add(str(damage))
                yield damage


def check_entry(objects: ObjectStore, key: str, line: Indexed) -> Damaged | None:
    """What is wrong with one entry of a pack, which is decoded; None where nothing is."""
    place = Placement(line.digest, key, line.offset, line.length)
    try:
        if line.kind == "chunk":
            check_chunk(objects, place)
        elif line.kind == "delta":
            _check_delta(StoredDelta(objects, place))
        else:
            unfold_blob(line.digest, objects.get(key, line.offset, line.length))
    except Damaged as error:
        if key in error.thing:
            return error
        return Damaged(f"{error.thing} in pack {key}", expected=error.expected, found=error.found)
    return None


def _check_delta(delta: StoredDelta) -> None:
    delta.verify()
    for slot in delta.index.spans:
        check(delta.payloads([slot])[0])


def _check_plans(way: Way, plans: list[ChunkPlan]) -> list[Damaged]:
    """All at once where nothing is wrong, else each chunk by itself."""
    try:
        for _ in way.chunks(plans):
            pass
    except Damaged as error:
        if len(plans) == 1:
            return [error]
        return [damage for plan in plans for damage in _check_plans(way, [plan])]
    return []
