"""Take-over: where a relay goes on, which is behind the last event that its topic holds without a hole."""

from __future__ import annotations

import logging
from asyncio import to_thread
from typing import Final, NamedTuple

from ...errors import Refused
from ..bookmark import Bookmark, SentMark
from ..merkle import Frontier
from ..sql.store import Store
from .bookmark import known_again
from .clients import Reader
from .cluster import Cluster
from .genuine import ByLeaf, ByRoot, ForeignRecords

_READ: Final = 2_000

log = logging.getLogger("lepton.relay")


class TakenOver(NamedTuple):
    """What the topic holds of the log, and where the next record gets to."""

    topic: str | None
    """The topic's id."""
    frontier: Frontier
    mark: SentMark
    end: int
    strangers: ForeignRecords


async def taken_over(store: Store, cluster: Cluster, *, pass_over: bool = False) -> TakenOver:
    """Read on from where the topic was last known to be in order, from its beginning where that is not known.

    Raises `Refused` where behind the database's events it tells another history or more of this one, each known by its
    roots; with `pass_over` that is taken for forged.
    """
    async with Reader(cluster, "events") as reader:
        judge, strangers, start = await _begun(store, reader)
        first = start
        while messages := await reader.rest(_READ):
            await to_thread(judge.take, messages)
        if judge.last is not None:
            start = judge.last.offset + 1
        frontier = await to_thread(store.frontier, judge.seq)
        if fork := await _beyond(reader, start, frontier):
            await _complain(store, cluster, fork, pass_over=pass_over)
        end = await reader.end()
        digest = judge.last and judge.last.digest
        if judge.last is None and start == first:
            mark = await to_thread(store.sent, reader.name)
            digest = mark.at.digest if mark is not None and mark.at.position == start else None
        _say(reader.name, judge, strangers)
        at = Bookmark(start, reader.id, digest)
        return TakenOver(reader.id, frontier, marked(at, judge.seq, strangers), end, strangers)


def marked(at: Bookmark, seq: int, strangers: ForeignRecords) -> SentMark:
    """The mark of a place up to which all is in order."""
    return SentMark(at, seq, strangers.count, *(strangers.last or (None, None)))


async def _begun(store: Store, reader: Reader) -> tuple[ByLeaf, ForeignRecords, int]:
    """Where reading begins, and the judge of what comes."""
    mark = await to_thread(store.sent, reader.name)
    if mark is not None and mark.seq is not None and await known_again(reader, mark.at):
        reader.seek(mark.at.position)
        strangers = ForeignRecords()
        strangers.as_known(*mark[2:])
        return ByLeaf(store.leaves, strangers, mark.seq), strangers, mark.at.position
    start = await reader.start()
    if mark is not None:
        log.error(
            "%s is not as it was left: it was made anew, or lost records, after event %s was sent; it is read from its "
            "beginning, and what it lacks is sent again",
            *(reader.name, mark.seq),
        )
    reader.seek(start)
    strangers = ForeignRecords()
    return ByLeaf(store.leaves, strangers), strangers, start


async def _beyond(reader: Reader, start: int, frontier: Frontier) -> ByRoot | None:
    """What follows from the database's events by its roots and is not theirs."""
    judge = ByRoot(ForeignRecords(), frontier)
    if start == await reader.end():
        return None
    reader.seek(start)
    while messages := await reader.rest(_READ):
        judge.take(messages)
    judge.rest()
    return judge if judge.seq > frontier.size else None


async def _complain(store: Store, cluster: Cluster, fork: ByRoot, *, pass_over: bool) -> None:
    """Say why not to go on where the topic holds more than the database: an old backup, or another history."""
    end, name = await to_thread(store.end), store.database.name
    if fork.begun < end:
        why = (
            f"{cluster.name} tells another history: its event {fork.begun + 1} is not that of {name}, and its roots "
            f"confirm {fork.seq - fork.begun} such events; use another LEPTON_KAFKA_PREFIX, or restore the database "
            "that it was made from"
        )
    else:
        why = (
            f"{name} ends at event {end} and {cluster.name} at {fork.seq}, as after an old backup was put back; "
            "`lepton restore --missing` brings the events back"
        )
    if not pass_over:
        raise Refused(f"{why}. Where somebody forged them, `lepton relay --pass-over` goes on behind them")
    log.error("%s. They are passed over, as was asked for", why)


def _say(topic: str, judge: ByLeaf, strangers: ForeignRecords) -> None:
    strangers.say(topic)
    if judge.ahead:
        log.error("%s lacks event %d while later ones are there; all from there on is sent again", topic, judge.seq + 1)
    log.info("relaying from event %d on", judge.seq + 1)
