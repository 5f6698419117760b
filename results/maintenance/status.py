"""How a ledger is, and those who follow it: its log, its topic, its views, jobs and spool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ..answer import Result
from ..description import Block, Words, grid, text
from ..figures import count, when
from ..words import say, word
from .standing import unprojected

DATABASE: Final = "database"
KAFKA: Final = "kafka"


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
    waiting: int = 0
    """Those that wait for other jobs."""


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
            yield "jobs", self._jobs(self.jobs)
            yield "workers", say("{workers} heard of lately", workers=self.jobs.workers)
        yield "views", self._views()
        if self.kept:
            yield "kept", say("{saves}; `lepton kept` lists them", saves=count(self.kept, "refused save"))

    def _jobs(self, jobs: JobCounts) -> Words:
        told = {"queued": jobs.queued, "at_work": jobs.at_work}
        if jobs.waiting:
            return say("{queued} queued, {at_work} at work, {waiting} wait for others", waiting=jobs.waiting, **told)
        return say("{queued} queued, {at_work} at work", **told)

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
