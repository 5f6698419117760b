"""`lepton upgrade`: an older ledger brought to today's format, with the processes that it concerns kept out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Final

from ...domain.commands import UpgradeLedger
from ...errors import Refused, Unavailable
from ...events.ledger import FORMAT
from ...events.sql import upgrade as tables
from ...events.sql.actors import Actors
from ...events.sql.admission import Admission
from ...events.sql.database import Database
from ...events.sql.lock import Held
from ...events.sql.store import Store
from ...events.sql.upgrade import StoredLedger
from ...ledger import Ledger, Request, receipt
from ...results import Upgraded

LONE: Final = ("relay", "assigner")
"""The locks of processes that must be of the new Lepton from the first event on that only it knows."""


def upgrade(database: Database, lock: Callable[[str], Held], *, dry_run: bool) -> Upgraded:
    """Bring a ledger to today's format, or say what that would do. Repeated it has nothing to do.

    Raises `Refused` where a relay, an assigner or an intake is running; all other writers wait for the writers' lock,
    and those of an older Lepton find afterwards that they cannot write any more, and spool.
    """
    if dry_run:
        return _told(database, tables.standing(database), done=False)
    if (standing := tables.standing(database)).current:
        return _told(database, standing, done=False)
    with _alone(lock):
        actor = Actors(database).named("lepton")

        def announce(ledger: str, admission: Admission) -> None:
            request = Request(UpgradeLedger(format=FORMAT), actor)
            with Ledger(Store(database, ledger)).transaction(within=admission) as transaction:
                receipt(transaction.decide(request))

        return _told(database, tables.upgrade(database, announce), done=True)


@contextmanager
def _alone(lock: Callable[[str], Held]) -> Generator[None]:
    with ExitStack() as held:
        for what in LONE:
            try:
                held.callback(lock(what).release)
            except Unavailable as error:
                raise Refused(f"{error}: stop it (`lepton {_process(what)}`) and upgrade again") from error
        yield


def _process(what: str) -> str:
    return {"assigner": "intake` or `lepton worker"}.get(what, what)


def _told(database: Database, standing: StoredLedger, *, done: bool) -> Upgraded:
    older = standing.format < FORMAT
    return Upgraded(
        ledger=standing.name,
        before=standing.format,
        after=FORMAT,
        events=standing.events,
        root=f"sha256:{standing.tree.root().hex()}",
        copy=database.copies.place(standing.format) if older else None,
        bytes=standing.bytes if older else 0,
        done=done and not standing.current,
    )
