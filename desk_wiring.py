"""The wiring of work: where a ledger's jobs are given out, and what its workers need; over Kafka, else over tables."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .events.kafka.cluster import Cluster
    from .events.sql.database import Database
    from .events.sql.lock import Held
    from .events.sql.store import Store
    from .jobs.assigner import Assigner
    from .jobs.desk import Desk, WorkerProfile
    from .jobs.protocol.identity import WorkerKeys
    from .jobs.protocol.ports import Channel, Results
    from .settings import Settings
    from .supervised import Supervised
    from .versions.workspace import Workspace
    from .workers.local import Workplace


class HomeOfWork(Protocol):
    """What of a home work needs."""

    settings: Settings

    @property
    def database(self) -> Database: ...

    @property
    def store(self) -> Store: ...

    @property
    def workspace(self) -> Workspace: ...

    @property
    def cluster(self) -> Cluster: ...

    def lock_now(self, name: str) -> Held: ...


def workplace_of(home: HomeOfWork) -> Workplace:
    """What a worker needs: Kafka where it is set, and then no database; else tables."""
    from .workers.local import Workplace

    settings = home.settings
    place = {"url": settings.objects, "ledger": settings.ledger, "wait": settings.wait}
    return Workplace(
        channel=lambda identity: _channel(home, identity),
        objects=place,
        terms=settings.terms,
        secret=settings.worker_secret,
    )


def desk_of(home: HomeOfWork) -> Desk:
    """Where a ledger's jobs are given out."""
    from .events.sql.leases import Leases
    from .jobs.desk import Desk

    return Desk(
        here=home.settings.kafka is None,
        lock=lambda: home.lock_now("assigner"),
        assigner=lambda: _assigning(home),
        leases=Leases(home.database),
        waiting=lambda worker: _waiting(home, worker),
        work=lambda pool: _work(home, pool),
        search=lambda: _search(home),
        terms=home.settings.terms,
        end=lambda: home.store.end(),
    )


def _channel(home: HomeOfWork, identity: WorkerKeys) -> Channel:
    if home.settings.kafka:
        from .jobs.protocol.over_kafka import KafkaChannel

        return KafkaChannel(home.cluster, identity)
    from .jobs.protocol.over_tables import MailChannel

    return MailChannel(home.store, identity, home.settings.terms.poll)


@contextmanager
def _assigning(home: HomeOfWork) -> Generator[Assigner]:
    if home.settings.kafka:
        from .events.sql.queue import RESULTS
        from .jobs.protocol.over_kafka import opened

        with opened(home.cluster, RESULTS, home.store.bookmark, home.settings.terms.check) as results:
            yield _assigner(home, results)
    else:
        from .jobs.protocol.over_tables import MailResults

        yield _assigner(home, [MailResults(home.store)])


def _assigner(home: HomeOfWork, results: Sequence[Results]) -> Assigner:
    from .events.sql.leases import Leases
    from .events.sql.queue import Mail
    from .jobs.assigner import Assigner
    from .jobs.protocol.over_tables import MailOrders

    settings = home.settings
    return Assigner(
        home.workspace,
        Leases(home.database),
        results,
        MailOrders(Mail(home.database)),
        settings.terms,
        settings.worker_secret,
        offers_at_once=settings.offers.at_once,
    )


def _waiting(home: HomeOfWork, worker: WorkerProfile) -> bool:
    from .jobs.assigner import work_waits

    return work_waits(home.workspace, worker.pool, frozenset(worker.capabilities))


def _work(home: HomeOfWork, pool: str) -> Supervised:
    workplace = workplace_of(home)
    return workplace.working(workplace.post(pool=pool))


def _search(home: HomeOfWork) -> Supervised:
    workplace = workplace_of(home)
    return workplace.working(workplace.searcher(home.settings.home))
