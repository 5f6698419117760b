"""Reporting: how the ledger and those who follow it are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from ..errors import Damaged, LeptonError, Unavailable
from ..events.clock import moment
from ..events.envelope import decode
from ..events.kafka.cluster import Cluster
from ..events.sql.store import Store
from ..results.maintenance.status import (
    DATABASE,
    KAFKA,
    JobCounts,
    Spooled,
    Status,
    StrangerRecords,
    TopicStatus,
    Views,
)
from ..versions.spool import refused
from ..versions.spool.spool import Spool
from ..versions.workspace import Workspace
from .assigner import open_jobs
from .desk import Desk

T = TypeVar("T")
SOON: Final = 3.0
"""Seconds that database and brokers are waited for by who only wants to know how the ledger is."""


def status_of(home: Any) -> Status:
    """The state of the ledger of a home, as `wiring.Home` opens its parts: one that waits for seconds alone."""

    def workspace() -> Workspace:
        home.seek()
        return home.workspace

    def views() -> Views | None:
        standing = home.views()
        return Views(*standing) if standing else None

    cluster = (lambda: replace(home.cluster, shortest=SOON)) if home.settings.kafka else None
    where = {"folder": str(home.folder.path), "open_to": home.folder.openness()}
    return status(workspace, lambda: home.desk, cluster, home.spool, views, where)


def status(
    workspace: Callable[[], Workspace],
    desk: Callable[[], Desk],
    cluster: Callable[[], Cluster] | None,
    spool: Spool,
    views: Callable[[], Views | None],
    home: Mapping[str, str],
) -> Status:
    """The state of log and jobs, and of the topic where there is one, as far as those who know are there to be asked.

    Database and topic are asked for once each, so that one which is away costs one wait.
    """
    unknown: dict[str, LeptonError] = {}
    facts = _tried(DATABASE, unknown, Unavailable, lambda: _facts(workspace(), desk()))
    topic = None
    if cluster is not None and facts is None:
        unknown[KAFKA] = Unavailable("its records are compared with the database, which is away")
    elif cluster is not None:
        there = cluster
        topic = _tried(KAFKA, unknown, LeptonError, lambda: _topic(workspace().ledger.store, there()))
    return Status(
        **(facts or dict.fromkeys(("ledger", "events", "recorded", "root", "rejected", "jobs"))),
        kafka=topic and topic[0],
        strangers=topic and topic[1],
        complaints=topic[2] if topic else (),
        spool=Spooled(len(spool.waiting()), len((*spool.refused(), *spool.strange(), *spool.strays()))),
        views=None if facts is None else views(),
        kept=len(refused.listed(spool)),
        home=home,
        unknown={what: str(error) for what, error in unknown.items()},
        exit_code=max((error.exit_code for error in unknown.values()), default=0),
    )


def _tried(what: str, unknown: dict[str, LeptonError], errors: type[LeptonError], ask: Callable[[], T]) -> T | None:
    """What is answered; None where that cannot be now, and why among what is unknown."""
    try:
        return ask()
    except Damaged:
        raise
    except errors as error:
        unknown[what] = error
        return None


def _facts(workspace: Workspace, desk: Desk) -> dict[str, Any]:
    """What the database says."""
    store = workspace.ledger.store
    head = store.head()
    return {
        "ledger": store.ledger_id,
        "events": head.seq,
        "recorded": moment(head.recorded) if head.seq else None,
        "root": f"sha256:{head.frontier.root().hex()}",
        "rejected": store.rejected_count(),
        "jobs": _job_counts(workspace, desk),
    }


def _job_counts(workspace: Workspace, desk: Desk) -> JobCounts:
    states = [job.status for _, job in open_jobs(workspace)]
    queued, waiting = states.count("queued"), states.count("waiting")
    return JobCounts(queued, len(states) - queued - waiting, desk.ready(), waiting)


def _topic(store: Store, cluster: Cluster) -> tuple[TopicStatus, StrangerRecords, tuple[str, ...]]:
    """How much of the log the topic holds, each record checked from where the relay last kept its mark."""
    from ..events.kafka.log import KafkaLog

    with KafkaLog(cluster, store) as log:
        there, found = log.end(), log.strangers
    rows = store.read(there, 1)
    first = decode(rows[0].envelope, rows[0].leaf, rows[0].seq).recorded if rows else None
    offset, why = found.last or (None, None)
    lag = TopicStatus(there, max(0, store.end() - there), first)
    return lag, StrangerRecords(found.count, offset, why), _complaints(cluster)


def _complaints(cluster: Cluster) -> tuple[str, ...]:
    import asyncio

    from ..events.kafka.topics import complaints

    return tuple(asyncio.run(complaints(cluster)))
