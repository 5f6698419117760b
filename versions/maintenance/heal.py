"""Healing a ledger's packs: what is damaged is written again from whatever whole copies are at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...domain.commands import OBJECTS, Repack, Stored
from ...errors import Damaged
from ...events.envelope import decode
from ...events.objects import PackRepacked, PackWritten
from ...events.sql.rows import PlacementRow
from ...results import Healed, HealedPack
from ...tensors.objects import ObjectStore
from ..deltas import graph_of
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...tensors.heal import EntryCopies, Rewritten


def heal(workspace: Workspace, copies: Sequence[ObjectStore] = ()) -> Healed:
    """Write again what damaged packs held, from whole copies in other packs of the ledger's store or in `copies`.

    A copy is decoded and compared with its digest before it is used. Deltas of which no copy is left are given up where
    the versions that they led to can be restored without them. Raises `Unavailable`.
    """
    from ...tensors.heal import EntryCopies

    sources = EntryCopies((workspace.objects, *copies))
    damaged = [pack for pack in standing_packs(workspace) if any(workspace.vault.check_pack(pack.pack, pack.index))]
    rewritten = {pack.pack: _rewrite(workspace, pack.pack, sources) for pack in damaged}
    spare = _spare_deltas(workspace, frozenset(digest for each in rewritten.values() for digest in each.missing))
    return Healed(tuple(_recorded(workspace, pack, each, spare) for pack, each in rewritten.items()))


def standing_packs(workspace: Workspace, damages: list[Damaged] | None = None) -> Iterator[PackWritten]:
    """Every pack that the log names, but those whose content was written again into others.

    Events that are damaged are passed over, and added to `damages`.
    """
    types = (PackWritten.type_name(), PackRepacked.type_name())
    _, rows = workspace.ledger.store.stream(OBJECTS, types=types)
    written: dict[str, PackWritten] = {}
    for row in rows:
        try:
            event = decode(row.envelope, row.leaf, row.seq).event
        except Damaged as damage:
            if damages is not None:
                damages.append(damage)
            continue
        match event:
            case PackWritten():
                written[event.pack] = event
            case PackRepacked(pack=pack):
                written.pop(pack, None)
            case _:
                pass
    yield from written.values()


def _rewrite(workspace: Workspace, pack: str, copies: EntryCopies) -> Rewritten:
    """Write what is found, and record at once where it lies now: versions can be restored from it."""
    from ...tensors.heal import rewrite

    # what lies elsewhere by now, as after an earlier try, is not written once more
    held = [place.digest for place in workspace.ledger.store.placements() if place.pack == pack]
    rewritten = rewrite(workspace.objects, held, copies)
    packs = tuple(
        PackWritten(pack=each.key, bytes=each.bytes, entries=each.entries, index=each.index) for each in rewritten.packs
    )
    if packs:
        placements = tuple(PlacementRow(*place) for place in rewritten.placements)
        workspace.admit(Repack(pack=pack, stored=Stored(packs=packs)), None, placements)
    return rewritten


def _spare_deltas(workspace: Workspace, missing: frozenset[str]) -> frozenset[str]:
    """Of digests that no pack holds whole the deltas that no version needs."""
    spare: set[str] = set()
    for name in workspace.models() if missing else ():
        model = workspace.model(name)
        for delta in model.deltas.values():
            if delta.digest in missing:
                target = model.version(delta.to_version).event.tensors
                if not any(workspace.vault.check_manifest(target, graph_of(model, target))):
                    spare.add(delta.digest)
    return frozenset(spare)


def _recorded(workspace: Workspace, pack: str, rewritten: Rewritten, spare: frozenset[str]) -> HealedPack:
    missing, into = rewritten.missing - spare, tuple(each.key for each in rewritten.packs)
    if not missing:
        workspace.admit(Repack(pack=pack, into=into), None)
    return HealedPack(pack=pack, into=into, missing=tuple(sorted(missing)))
