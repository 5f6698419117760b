"""Reporting: how the ledger and those who follow it are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

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
    """How a ledger is: how far its log goes, and who has followed it how far."""

    ledger: str
    events: int
    recorded: datetime | None
    root: str
    kafka: TopicStatus | None
    strangers: StrangerRecords | None
    complaints: tuple[str, ...]
    """What is not as it must be with the topics, as far as one may see their settings."""
    rejected: int
    """Outside messages that were refused and have not been admitted since."""
    jobs: JobCounts
    spool: Spooled
    views: Views | None
    """How far the views are; None where there are none yet or nobody can tell at once."""
    kept: int = 0
    """Saves of this home that were refused and can be adopted."""
    home: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its `folder`, and who may use it: `open_to`."""

    def blocks(self) -> Iterator[Block]:
        yield grid(self._rows())
        if self.views and self.views.unprojected:
            yield unprojected(self.views.unprojected)

    def _rows(self) -> Iterator[tuple[str, str]]:
        if self.home:
            closes = "; `lepton init --private` closes it" if self.home["open_to"] == "everybody" else ""
            yield "home", f"{self.home['folder']}, open to {self.home['open_to']}{closes}"
        yield "ledger", self.ledger
        yield "events", count(self.events, "event")
        yield "root", self.root
        if self.recorded:
            yield "last recorded", when(self.recorded, seconds=True)
        yield "Kafka", self._kafka()
        if self.strangers is not None and self.strangers.count:
            last = f"; the last at offset {self.strangers.offset}: {self.strangers.why}"
            yield "passed over", f"{count(self.strangers.count, 'record')} that others put on the topic{last}"
        yield from (("topics", complaint) for complaint in self.complaints)
        yield "rejected", count(self.rejected, "outside message")
        if self.spool.waiting or self.spool.aside:
            yield "spool", f"{self.spool.waiting} waiting, {self.spool.aside} put aside; see `lepton sync`"
        yield "jobs", f"{self.jobs.queued} queued, {self.jobs.at_work} at work"
        yield "workers", f"{self.jobs.workers} heard of lately"
        none = "none yet, or busy; the next `lepton sql` brings them up to date"
        yield "views", f"up to event {self.views.events}" if self.views else none
        if self.kept:
            yield "kept", f"{count(self.kept, 'refused save')}; `lepton kept` lists them"

    def _kafka(self) -> str:
        if self.kafka is None:
            return "none; the database is the only copy"
        if self.kafka.lost_since is None:
            return "has every event"
        since = when(self.kafka.lost_since, seconds=True)
        return f"lacks {count(self.kafka.lag, 'event')} since {since}: lost with the database"


def status(
    workspace: Workspace,
    desk: Desk,
    cluster: Cluster | None,
    spool: Spool,
    views: Views | None,
    home: Mapping[str, str],
) -> Status:
    """The state of log and jobs, and of the topic where there is one. Raises `Unavailable` where either is away."""
    store = workspace.ledger.store
    topic, strangers = _topic(store, cluster) if cluster else (None, None)
    head = store.head()
    return Status(
        ledger=store.ledger_id,
        events=head.seq,
        recorded=moment(head.recorded) if head.seq else None,
        root=f"sha256:{head.frontier.root().hex()}",
        kafka=topic,
        strangers=strangers,
        complaints=_complaints(cluster) if cluster else (),
        rejected=store.rejected_count(),
        jobs=_job_counts(workspace, desk),
        spool=Spooled(len(spool.waiting()), len((*spool.refused(), *spool.strange(), *spool.strays()))),
        views=views,
        kept=len(refused.listed(workspace.spool)) if workspace.spool else 0,
        home=home,
    )


def _job_counts(workspace: Workspace, desk: Desk) -> JobCounts:
    states = [job.status for _, job in open_jobs(workspace)]
    return JobCounts(states.count("queued"), len(states) - states.count("queued"), desk.ready())


def _topic(store: Store, cluster: Cluster) -> tuple[TopicStatus, StrangerRecords]:
    """How much of the log the topic holds, each record checked from where the relay last kept its mark."""
    from ..events.kafka.log import KafkaLog

    with KafkaLog(cluster, store) as log:
        there, found = log.end(), log.strangers
    rows = store.read(there, 1)
    first = decode(rows[0].envelope, rows[0].leaf, rows[0].seq).recorded if rows else None
    offset, why = found.last or (None, None)
    return TopicStatus(there, max(0, store.end() - there), first), StrangerRecords(found.count, offset, why)


def _complaints(cluster: Cluster) -> tuple[str, ...]:
    import asyncio

    from ..events.kafka.topics import complaints

    return tuple(asyncio.run(complaints(cluster)))
