"""Recovering: a ledger brought back from its topic, and where its bytes lie from the packs themselves."""

from __future__ import annotations

from ..domain.commands import UpgradeLedger
from ..events.actors import Actors
from ..events.envelope import decode
from ..events.ledger import FORMAT
from ..events.log import Log
from ..events.objects import PackWritten
from ..events.restore import Restored, restore
from ..events.rows import Placement
from ..events.store import Store
from ..ledger import Ledger
from ..tensors.objects import ObjectStore
from .placements import told_by


def recover(store: Store, objects: ObjectStore, log: Log) -> Restored:
    """Restore the events, then the placements of the packs that they name. Repeated, it does what is left to do.

    Leases are not restored: they run out, and jobs are assigned anew. Names and keys of actors were never in the log.
    A topic of an older format becomes a ledger of today's, whose log says so behind what was restored.
    """
    restored = restore(store, log)
    actor = Actors(store.database).named("lepton")
    Ledger(store).admit(UpgradeLedger(format=FORMAT), actor)
    known = {placement.pack for placement in store.placements()}
    for row in store.rows_of_type(PackWritten.type_name(), 0, restored.after):
        event = decode(row.envelope, row.leaf, row.seq).event
        assert isinstance(event, PackWritten)
        if event.pack not in known:
            store.place([Placement(*place) for place in told_by(objects, (event.pack,))])
    return restored
