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
from ..results.description import Block, Words, grid, text
from ..results.figures import count, when
from ..results.standing import unprojected
from ..results.words import say, word
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
    exit_code: int = field(default=0, metadata={"json": False})
    """What the command line returns: 3 where something is away, 1 where it lets nobody in, 0 where all is known."""

    def blocks(self) -> Iterator[Block]:
        yield grid((word(name), said) for name, said in self._rows())
        if self.views and self.views.unprojected:
            yield unprojected(self.views.unprojected)

    def _rows(self) -> Iterator[tuple[str, Words]]:
        if self.home:
            closes = "; `lepton init --private` closes it" if self.home["open_to"] == "everybody" else ""
            whom = word(self.home["open_to"])
            yield "home", text(say("{folder}, open to {whom}", folder=self.home["folder"], whom=whom), word(closes))
        yield from self._log()
        yield "Kafka", self._kafka()
        if self.strangers is not None and self.strangers.count:
            last = {"offset": self.strangers.offset or 0, "why": self.strangers.why or ""}
            others = "{records} that others put on the topic; the last at offset {offset}: {why}"
            yield "passed over", say(others, records=count(self.strangers.count, "record"), **last)
        yield from (("topics", complaint) for complaint in self.complaints)
        if self.rejected is not None:
            yield "rejected", count(self.rejected, "outside message")
        if self.spool.waiting or self.spool.aside:
            left = {"waiting": self.spool.waiting, "aside": self.spool.aside}
            yield "spool", say("{waiting} waiting, {aside} put aside; see `lepton sync`", **left)
        if self.jobs is not None:
            yield "jobs", say("{queued} queued, {at_work} at work", queued=self.jobs.queued, at_work=self.jobs.at_work)
            yield "workers", say("{workers} heard of lately", workers=self.jobs.workers)
        yield "views", self._views()
        if self.kept:
            yield "kept", say("{saves}; `lepton kept` lists them", saves=count(self.kept, "refused save"))

    def _log(self) -> Iterator[tuple[str, Words]]:
        if self.events is None or self.ledger is None or self.root is None:
            yield "database", say("unknown: {why}", why=self.unknown[DATABASE])
            return
        yield "ledger", self.ledger
        yield "events", count(self.events, "event")
        yield "root", self.root
        if self.recorded:
            yield "last recorded", when(self.recorded, seconds=True)

    def _views(self) -> Words:
        if DATABASE in self.unknown:
            return word("unknown while the database is away")
        if self.views is None:
            return word("none yet, or busy; the next `lepton sql` brings them up to date")
        return say("up to event {seq}", seq=self.views.events)

    def _kafka(self) -> Words:
        if KAFKA in self.unknown:
            return say("unknown: {why}", why=self.unknown[KAFKA])
        if self.kafka is None:
            return word("none; the database is the only copy")
        if self.kafka.lost_since is None:
            return word("has every event")
        lacks = {"events": count(self.kafka.lag, "event"), "when": when(self.kafka.lost_since, seconds=True)}
        return say("lacks {events} since {when}: lost with the database", **lacks)


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
