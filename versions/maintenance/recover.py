"""Recovering: a ledger brought back from its topic, and where its bytes lie from the packs themselves."""

from __future__ import annotations

from contextlib import nullcontext, suppress

from ...domain.commands import UpgradeLedger
from ...errors import Damaged
from ...events.envelope import decode
from ...events.kafka.restore import Restored, restore
from ...events.ledger import FORMAT
from ...events.log import EventLog
from ...events.objects import PackRepacked, PackWritten
from ...events.run import RunFinished
from ...events.sql.actors import Actors
from ...events.sql.heartbeats import Heartbeats
from ...events.sql.rows import PlacementRow
from ...events.sql.store import Store
from ...ledger import Ledger
from ...tensors.objects import ObjectStore
from ...tensors.pack import told_by


def recover(store: Store, objects: ObjectStore, log: EventLog) -> Restored:
    """Restore the events, then the placements of the packs that they name. Repeated, it does what is left to do.

    Leases are not restored: they run out, and jobs are assigned anew. Names and keys of actors were never in the log.
    A topic of an older format becomes a ledger of today's, whose log says so behind what was restored.
    """
    restored = restore(store, log)
    actor = Actors(store.database).named("lepton")
    Ledger(store).admit(UpgradeLedger(format=FORMAT), actor)
    repacked = _repacked(store, restored.after)
    known = {placement.pack for placement in store.placements()}
    for row in store.rows_of_type(PackWritten.type_name(), 0, restored.after):
        event = decode(row.envelope, row.leaf, row.seq).event
        assert isinstance(event, PackWritten)
        if event.pack not in known:
            with suppress(Damaged) if event.pack in repacked else nullcontext():
                store.place([PlacementRow(*place) for place in told_by(objects, (event.pack,))])
    _expect_open_runs(store)
    return restored


def _repacked(store: Store, last: int) -> set[str]:
    """The packs whose content was written again into others, since they were damaged."""
    rows = store.rows_of_type(PackRepacked.type_name(), 0, last)
    events = (decode(row.envelope, row.leaf, row.seq).event for row in rows)
    return {event.pack for event in events if isinstance(event, PackRepacked)}


def _expect_open_runs(store: Store) -> None:
    """Give the runs that have not ended a fresh term, else nobody would find those lost that are."""
    beats, jobs = Heartbeats(store), set(store.streams("job/"))
    for stream in store.streams_without("run/", (RunFinished.type_name(),)):
        if f"job/{stream.removeprefix('run/').rpartition('.')[0]}" not in jobs:  # an attempt at a job has a lease
            beats.expect(stream.removeprefix("run/"))
