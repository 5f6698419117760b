"""`status`, `worker`, `relay`, `projector`, `intake`, `rejected`, `restore`: what keeps a ledger running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from ...domain.names import checked_pool
from ...errors import Refused
from ...results.description import Block, grid
from ...results.figures import count
from ...results.shapes.ledger import STATUS
from ...results.words import say, word
from ..command import Session, command, importing
from .observing import observed
from .signals import STOPPING, stopping

if TYPE_CHECKING:
    from ...events.sql.rows import Rejected


@command(
    STATUS,
    "lepton status",
)
def status(session: Session) -> None:
    """Show how far the ledger's log, its topic and its views are, and what would be lost with the database.

    A database or Kafka that is away is given up within seconds, the rest is told, and what is unknown with the reason;
    it then exits with 3, or with 1 where one is there and lets nobody in.
    """
    with session.waiting("looking around"):
        state = session.manager.status()
    session.answer(state.to_dict(), state)
    if state.exit_code:
        raise click.exceptions.Exit(state.exit_code)


@command(
    {"worker": "text"},
    "lepton worker --once",
    "lepton worker --pool gpu --device cuda:0 --once",
    "lepton worker --ray auto --once",
)
@click.option("--pool", default="default", show_default=True, metavar="NAME", help="Whose jobs it takes.")
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda or cuda:N.")
@click.option("--slots", type=click.IntRange(min=1), default=1, show_default=True, help="Jobs at a time.")
@click.option(
    "--ray", metavar="ADDRESS", help="The Ray cluster that trainings on several machines go to, as LEPTON_RAY."
)
@click.option("--once", is_flag=True, help="Leave when no job is left that it could take.")
@importing
def worker(session: Session, pool: str, device: str, slots: int, ray: str | None, once: bool) -> None:
    """Do the work that is asked for, until stopped; each job in a process of its own.

    SIGTERM and Ctrl-C let it leave in good order: it takes nothing more, and what is under way is kept and given back.
    Without Kafka the first worker of a ledger also gives the jobs out. With it a worker knows Kafka and the object
    store alone, and no database; `lepton intake` gives the jobs out.
    """
    checked_pool(pool)
    parts, stop = session.parts, Event()
    if not parts.settings.kafka:  # beside Kafka it knows no database
        parts.seek_unless_named()
    if once and parts.settings.kafka:
        raise Refused("--once needs the ledger's own tables; beside Kafka a worker cannot know that no job is left")
    if parts.settings.kafka and not parts.settings.objects_are_here():
        folder = parts.settings.objects_folder()
        raise Refused(f"there is no folder {folder}; make it, or set LEPTON_OBJECTS to where the ledger keeps objects")
    workplace = parts.workplace
    post = workplace.post(pool=pool, slots=slots, device=device, ray=ray)
    here, desk = workplace.worker(post), parts.desk_here
    figures = {
        "worker_attempts": ("attempts at jobs under way", lambda: here.at_work),
        "worker_strangers": ("records on commands and events that are none", lambda: here.strangers),
        "worker_answers": ("attempts that this worker has answered for", lambda: here.answered),
    }
    with stopping(stop), _talking(), observed(parts.settings.metrics, figures):
        if desk is None:
            here.run(stop)
        else:
            with desk.assigning():
                here.run(stop, (lambda: here.idle and not desk.waiting(post)) if once else None)
    session.answer({"worker": post.incarnation}, say("worker {worker} left in good order", worker=post.incarnation))


@contextmanager
def _talking() -> Generator[None]:
    """Have the worker say on stderr what it is at."""
    logger = logging.getLogger("lepton.worker")
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(logging.NOTSET)


@command({"relayed": "number"}, "lepton relay", "lepton relay --once")
@click.option("--once", is_flag=True, help="Stop when Kafka has all that the log held at the start.")
@click.option("--pass-over", is_flag=True, help="Take what the topic tells against the database for forged; go on.")
def relay(session: Session, once: bool, pass_over: bool) -> None:
    """Copy every event to Kafka, in order, until stopped. One relay at a time works; another waits for its lock.

    It stops where the topic holds another history than the database, or more of it, and where a topic's settings would
    lose or reorder events. Single records that are not the ledger's are passed over and counted.
    """
    from ...events.kafka.relay import Relay

    session.parts.seek_unless_named()
    store, check = session.parts.store, session.parts.settings.terms.check
    until = store.end() if once else None
    relay = Relay(store, session.parts.cluster, until=until, check=check, pass_over=pass_over)
    figures = {
        "log_events": ("events in the log", lambda: store.end()),
        "relay_events": ("events that Kafka acknowledged", lambda: relay.position),
        "relay_delay_seconds": ("from the last event's commit until Kafka acknowledged it", lambda: relay.delay),
        "relay_lag_events": ("events that Kafka lacks: lost with the database", lambda: store.end() - relay.position),
        "relay_strangers": ("records on the topic of events that are not the ledger's", lambda: relay.strangers),
        "rejected_messages": ("outside messages that stand refused", lambda: store.rejected_count()),
    }
    with observed(session.parts.settings.metrics, figures):
        asyncio.run(_until_stopped(relay.run))
    session.answer({"relayed": relay.position}, say("stopped after event {seq}", seq=relay.position))


@command({"before": "number", "after": "number"}, "lepton restore --from kafka", "lepton restore --missing")
@click.option("--from", type=click.Choice(["kafka"]), default="kafka", expose_value=False, help="What to restore from.")
@click.option("--missing", is_flag=True, help="Bring back what a ledger lacks that is there; without it there is none.")
def restore(session: Session, missing: bool) -> None:
    """Make the database anew from the topic of events, and prove its root against the one that Kafka holds.

    What was not yet relayed is lost; `lepton status` tells how much that would be. Names and keys of actors were never
    on Kafka: without a copy of them sealed texts show as [forgotten].
    """
    from ...versions.maintenance.recover import recover

    parts = session.parts
    with session.waiting("restoring"), parts.kafka_log() as log:
        store = parts.restorable(log.ledger_id)
        if not missing and store.end():
            raise Refused(f"{store.database.name} holds a ledger already; --missing brings back what it lacks")
        restored = recover(store, parts.objects, log)
    back = say("events {first} to {last} are back", first=restored.before + 1, last=restored.after)
    session.answer(restored._asdict(), back if restored.after > restored.before else word("nothing was missing"))


@command({"seq": "number"}, "lepton projector")
def projector(session: Session) -> None:
    """Keep the views up with the log, from Kafka where it is set, and answer `sql` and `find`, until stopped.

    A query that cannot be stopped at its time limit costs the projector a restart, which it does by itself.
    Where LEPTON_WITNESS is set it sends signed heads there, at once and every hour; docs/evidence.md has how.
    """
    from ...projections.queries.watchdog import restart

    parts = session.parts
    parts.seek_unless_named()
    parts.check_witnesses()
    with parts.follower(restart) as follower:
        projection = follower.projection
        figures = {
            "projection_events": ("events applied to the views", lambda: projection.position),
            "projection_delay_seconds": ("from the last event's commit until the views had it", lambda: follower.delay),
            "projection_strangers": ("records on the topic that are not the ledger's", follower.strangers),
            "projection_lag_events": (
                "events in the log the views lack",
                lambda: parts.store.end() - projection.position,
            ),
        }
        with observed(parts.settings.metrics, figures):
            asyncio.run(_until_stopped(follower.ended))
        position = projection.position
    session.answer({"seq": position}, say("stopped at event {seq}", seq=position))


@command({"messages": "number"}, "lepton intake")
def intake(session: Session) -> None:
    """Take in what other services put on Kafka's inbox and what workers answer, and give jobs out, until stopped.

    Several may run: each message counts once, and one of them at a time gives the jobs out.
    """
    from ...jobs.assigner import open_jobs
    from ...jobs.intake.consumer import consume
    from ...jobs.intake.inbox import Intake
    from ...jobs.protocol.over_kafka import opened

    parts = session.parts
    parts.seek_unless_named()
    work = parts.workspace
    topic, stop = parts.cluster.topic("inbox"), Event()
    taken: list[Intake] = []

    def intake_of(part: int) -> Intake:
        settings = parts.settings
        taken.append(Intake(work.ledger, work.actors, topic, part, terms=settings.terms, offers=settings.offers))
        return taken[-1]

    def messages() -> int:
        return sum(each.taken for each in taken)

    desk = parts.desk
    assigner = desk.assigning()
    figures = {
        "assigner_in_trouble": ("1 while it cannot give jobs out", lambda: assigner.trouble is not None),
        "intake_messages": ("messages taken in by this process", messages),
        "jobs_open": ("jobs that have not ended", lambda: sum(1 for _ in open_jobs(work))),
        "leases_held": ("attempts at jobs that workers are at", lambda: len(desk.leases.held())),
        "workers_ready": ("workers heard of within a lease's term", desk.ready),
    }
    check = parts.settings.terms.check
    with stopping(stop), observed(parts.settings.metrics, figures), assigner:
        consume(lambda: opened(parts.cluster, "inbox", work.ledger.store.bookmark, check), intake_of, stop)
    session.answer({"messages": messages()}, say("stopped after {messages}", messages=count(messages(), "message")))


@command(
    {
        "rejected?": [
            {"id": "number", "topic": "text", "position": "number", "received": "time", "reason": "text"},
        ],
        "admitted?": "number",
        "message?": {"id": "number", "reason": "text", "headers": [["text", "text"]], "text": "text"},
    },
    "lepton rejected",
)
@click.argument("number", required=False, type=int, metavar="[NUMBER]")
@click.option("--retry", is_flag=True, help="Decide the message anew, for what forbade it may be mended.")
def rejected(session: Session, number: int | None, retry: bool) -> None:
    """List the outside messages that were refused, show one, or try it again."""
    from ...jobs.intake.inbox import Intake
    from ...jobs.intake.rejected import RefusedMessages, refused

    session.parts.seek()
    work = session.parts.workspace
    blank: dict[str, Any] = {"rejected": None, "admitted": None, "message": None}
    if number is None:
        if retry:
            raise click.UsageError("--retry needs the number of a message; `lepton rejected` lists them")
        messages = [(id, each) for id, each, retried in work.ledger.store.rejected() if retried is None]
        blank["rejected"] = [_told(id, each) for id, each in messages]
        session.answer(blank, _listed(messages))
        return
    if retry:
        settings = session.parts.settings
        answer = Intake(work.ledger, work.actors, "", terms=settings.terms, offers=settings.offers).retry(number)
        if isinstance(answer, Refused):
            raise answer
        session.answer(blank | {"admitted": number}, say("message {number} is admitted", number=number))
        return
    each, _ = refused(work.ledger.store, number)
    letter = RefusedMessages(work.ledger.store, work.actors, session.parts.settings.terms.rejected).opened(each)
    text, headers = (letter, ()) if isinstance(letter, str) else (_readable(letter.raw), letter.headers)
    pairs = [[name, _readable(value)] for name, value in headers]
    shown = {"id": number, "reason": each.reason, "headers": pairs, "text": text}
    session.answer(blank | {"message": shown}, (each.reason, *text.split("\n")))


def _readable(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _told(id: int, each: Rejected) -> dict[str, Any]:
    received = datetime.fromtimestamp(each.received / 1e6, UTC)
    place = {"id": id, "topic": each.topic, "position": each.position}
    return place | {"received": received.isoformat(), "reason": each.reason}


def _listed(messages: list[tuple[int, Rejected]]) -> Block:
    rows = ((str(id), f"{each.topic} {each.position}", each.reason) for id, each in messages)
    return (
        grid(rows, head=map(word, ("number", "message", "reason"))) if messages else word("no message stands refused")
    )


async def _until_stopped(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run work that ends when its event is set, which SIGTERM and Ctrl-C do."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stop.set)
    await work(stop)
