"""Reporting: how the ledger and those who follow it are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from ..errors import Damaged, LeptonError, Unavailable
from ..events.clock import moment
from ..events.envelope import decode
from ..events.kafka.cluster import Cluster
from ..events.sql.store import Store
from ..results import Result
from ..results.description import Block, grid
from ..results.figures import count, when
from ..results.standing import unprojected
from ..versions import refused
from ..versions.spool.spool import Spool
from ..versions.workspace import Workspace
from .assigner import open_jobs
from .desk import Desk

T = TypeVar("T")
DATABASE: Final = "database"
KAFKA: Final = "kafka"
SOON: Final = 3.0
"""Seconds that database and brokers are waited for by who only wants to know how the ledger is."""


@dataclass(frozen=True)
class TopicStatus(Result):
    """How far Kafka is: what it lacks is lost with the database, unless that has a copy of its own."""

    events: int
    lag: int
    lost_since: datetime | None
    """When the first event was recorded that Kafka lacks; None where it has all."""


@dataclass(frozen=True)
class StrangerRecords(Result):
    """Records on the topic of events that are not the ledger's, and the last of them."""

    count: int
    offset: int | None
    why: str | None


@dataclass(frozen=True)
class JobCounts(Result):
    """The jobs that have not ended, and the workers that were heard of within a lease's term."""

    queued: int
    at_work: int
    workers: int


@dataclass(frozen=True)
class Spooled(Result):
    """What waits in the home's spool, and what was put aside there; `lepton sync` lists both."""

    waiting: int
    aside: int


@dataclass(frozen=True)
class Views(Result):
    """How far the views are, and how many events they set aside because a value in them is larger than a view holds."""

    events: int
    unprojected: int


@dataclass(frozen=True)
class Status(Result):
    """How a ledger is: how far its log goes, and who has followed it how far; None is what could not be found out."""

    ledger: str | None
    events: int | None
    recorded: datetime | None
    root: str | None
    kafka: TopicStatus | None
    strangers: StrangerRecords | None
    complaints: tuple[str, ...]
    """What is not as it must be with the topics, as far as one may see their settings."""
    rejected: int | None
    """Outside messages that were refused and have not been admitted since."""
    jobs: JobCounts | None
    spool: Spooled
    views: Views | None
    """How far the views are; None where there are none yet or nobody can tell at once."""
    kept: int = 0
    """Saves of this home that were refused and can be adopted."""
    home: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its `folder`, and who may use it: `open_to`."""
    unknown: Mapping[str, str] = field(default_factory=dict[str, str])
    """What could not be asked, database or kafka, and why."""

    def blocks(self) -> Iterator[Block]:
        yield grid(self._rows())
        if self.views and self.views.unprojected:
            yield unprojected(self.views.unprojected)

    def _rows(self) -> Iterator[tuple[str, str]]:
        if self.home:
            closes = "; `lepton init --private` closes it" if self.home["open_to"] == "everybody" else ""
            yield "home", f"{self.home['folder']}, open to {self.home['open_to']}{closes}"
        yield from self._log()
        yield "Kafka", self._kafka()
        if self.strangers is not None and self.strangers.count:
            last = f"; the last at offset {self.strangers.offset}: {self.strangers.why}"
            yield "passed over", f"{count(self.strangers.count, 'record')} that others put on the topic{last}"
        yield from (("topics", complaint) for complaint in self.complaints)
        if self.rejected is not None:
            yield "rejected", count(self.rejected, "outside message")
        if self.spool.waiting or self.spool.aside:
            yield "spool", f"{self.spool.waiting} waiting, {self.spool.aside} put aside; see `lepton sync`"
        if self.jobs is not None:
            yield "jobs", f"{self.jobs.queued} queued, {self.jobs.at_work} at work"
            yield "workers", f"{self.jobs.workers} heard of lately"
        none = "none yet, or busy; the next `lepton sql` brings them up to date"
        if DATABASE in self.unknown:
            none = "unknown while the database is away"
        yield "views", f"up to event {self.views.events}" if self.views else none
        if self.kept:
            yield "kept", f"{count(self.kept, 'refused save')}; `lepton kept` lists them"

    def _log(self) -> Iterator[tuple[str, str]]:
        if self.events is None or self.ledger is None or self.root is None:
            yield "database", f"unknown: {self.unknown[DATABASE]}"
            return
        yield "ledger", self.ledger
        yield "events", count(self.events, "event")
        yield "root", self.root
        if self.recorded:
            yield "last recorded", when(self.recorded, seconds=True)

    def _kafka(self) -> str:
        if KAFKA in self.unknown:
            return f"unknown: {self.unknown[KAFKA]}"
        if self.kafka is None:
            return "none; the database is the only copy"
        if self.kafka.lost_since is None:
            return "has every event"
        since = when(self.kafka.lost_since, seconds=True)
        return f"lacks {count(self.kafka.lag, 'event')} since {since}: lost with the database"


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
    unknown: dict[str, str] = {}
    facts = _tried(DATABASE, unknown, Unavailable, lambda: _facts(workspace(), desk()))
    topic = None
    if cluster is not None and facts is None:
        unknown[KAFKA] = "its records are compared with the database, which is away"
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
        unknown=unknown,
    )


def _tried(what: str, unknown: dict[str, str], errors: type[LeptonError], ask: Callable[[], T]) -> T | None:
    """What is answered; None where that cannot be now, and why among what is unknown."""
    try:
        return ask()
    except Damaged:
        raise
    except errors as error:
        unknown[what] = str(error)
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
    return JobCounts(states.count("queued"), len(states) - states.count("queued"), desk.ready())


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
