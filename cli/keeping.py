"""`sync`, `verify`, `fsck`, `rebuild`, `forget`, `upgrade`: looking after the ledger itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from ..errors import Damaged, Refused
from ..results import Synced, Upgraded, Verified
from .command import Session, command
from .text import columns, count, size, title

SPOOLED: Final = {
    "kind": "text?",
    "key": "text?",
    "actor": "text?",
    "time": "time?",
    "model": "text?",
    "run": "text?",
}


@command(
    {"delivered": [SPOOLED | {"version": "number?"}], "refused": [SPOOLED | {"reason": "text"}]},
    "lepton sync",
    "lepton sync --again",
)
@click.option("--again", is_flag=True, help="Try once more what was refused.")
def sync(session: Session, again: bool) -> None:
    """Tell the ledger what was spooled in the home while it was away. Exits with 1 where any of it stands refused.

    Every call that changes something does so first; this one does nothing else, and says what was told.
    """
    with session.waiting("delivering"):
        found = session.manager.sync(again=again)
    session.answer(found.to_dict(), lambda: _synced(found))
    if found.refused:
        raise click.exceptions.Exit(Refused.exit_code)


@command({"ledger": "text", "size": "number", "root": "digest", "forgotten": "number"}, "lepton verify")
def verify(session: Session) -> None:
    """Is the ledger whole in itself? Recomputes the Merkle root from every stored byte. Exits with 5 where it is not.

    It compares with the log all that stands beside it, too: the head, the columns of every row, what was taken in from
    outside, and it finds triggers, rules and views that are not Lepton's. `fsck` lists all that is wrong.

    What it proves: that the ledger agrees with itself. Whoever owns the database could write another that does; that
    history is what it was, only a root or a signed head that was kept elsewhere proves. Names of actors stand in no
    event, so that they can be forgotten: nothing proves which name a pseudonym stood for.
    """
    with session.waiting("verifying"):
        found = session.manager.verify()
    session.answer(found.to_dict(), lambda: _verified(found))


@command(
    {"damaged": [{"thing": "text", "expected": "text", "found": "text"}]},
    "lepton fsck",
    "lepton fsck --events --objects",
)
@click.option("--events", is_flag=True, help="Look at the events only, or at all parts that are named.")
@click.option("--objects", is_flag=True, help="Look at the stored tensors and files, and restore each version.")
@click.option("--projection", is_flag=True, help="Compare the views with a rebuild.")
def fsck(session: Session, events: bool, objects: bool, projection: bool) -> None:
    """Are the bytes whole? Reads everything, lists what is damaged, and exits with 5 where anything is.

    `--events` finds what `verify` finds: the log, its tree, the tables beside it, and triggers, rules and views that
    are not Lepton's. It goes on after the first.
    """
    everything = not (events or objects or projection)
    with session.waiting("reading everything"):
        found = session.manager.fsck(
            events=events or everything, objects=objects or everything, projection=projection or everything
        )
    damaged = [{"thing": each.thing, "expected": each.expected, "found": each.found} for each in found]
    session.answer({"damaged": damaged}, lambda: _damages(found))
    if found:
        raise click.exceptions.Exit(Damaged.exit_code)


@command({"seq": "number"}, "lepton rebuild")
@click.option("--from", "source", type=click.Choice(["database", "kafka"]), default="database", help="Read from there.")
def rebuild(session: Session, source: str) -> None:
    """Make the views anew from the events."""
    with session.waiting("rebuilding"):
        seq = session.manager.rebuild() if source == "database" else session.manager.rebuild_from_kafka()
    session.answer({"seq": seq}, lambda: [f"the views are made anew, up to event {seq}"])


@command({"actor": "text"}, "lepton forget bob --yes")
@click.argument("name", metavar="ACTOR")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
def forget(session: Session, name: str, yes: bool) -> None:
    """Delete a person's name and key, for good. What they wrote shows as [forgotten]; no hash changes."""
    session.confirm(f"Forget {name} for good?", yes=yes)
    if not session.manager.forget_actor(name):
        raise Refused(f"there is nobody named {name!r} here; `lepton log` shows who acted")
    session.answer({"actor": name}, lambda: [f"{name} is forgotten"])


@command(
    {
        "ledger": "text",
        "before": "number",
        "after": "number",
        "events": "number",
        "root": "digest",
        "copy": "text?",
        "bytes": "number",
        "done": "true or false",
    },
    "lepton upgrade --dry-run",
    "lepton upgrade",
)
@click.option("--dry-run", is_flag=True, help="Say what it would do and how large the copy is; change not one byte.")
def upgrade(session: Session, dry_run: bool) -> None:
    """Bring a ledger of an older Lepton to today's format, which never happens by itself.

    First its tables are copied: a SQLite file beside it (main.db.format-1), a PostgreSQL schema beside it in the same
    database ("lepton_main.format-1"). Then all of it happens in one transaction, in which every event's bytes are
    hashed before and after: the root does not change. Killed at any moment, the ledger is in the one format or the
    other; run it again. It changes the ledger that LEPTON_LEDGER names; each has its own upgrade. Delete the copy once
    you are sure.
    """
    with session.waiting("looking" if dry_run else "upgrading"):
        found = session.manager.upgrade(dry_run=dry_run)
    session.answer(found.to_dict(), lambda: _upgraded(found))


def _synced(found: Synced) -> Iterator[str]:
    if not (found.delivered or found.refused):
        yield "nothing waits"
    for each in found.delivered:
        what = f"version {each['version']} of {each['model']}" if each["version"] else f"run {each['run']}"
        yield f"{title('delivered')}  {each['kind']}  {what}"
    for each in found.refused:
        what = f"of {each['model'] or each['run']}, asked by {each['actor']}" if each["kind"] else "entry"
        yield f"{click.style('refused', fg='red', bold=True)}  {each['kind'] or 'damaged'} {what}: {each['reason']}"


def _upgraded(found: Upgraded) -> Iterator[str]:
    events = f"{count(found.events, 'event')} of ledger {found.ledger}"
    if found.before == found.after and not found.done:
        yield f"nothing to do: ledger {found.ledger} has format {found.after}, which is today's"
        return
    if not found.done:
        yield f"would bring {events} from format {found.before} to {found.after}; nothing was changed"
        if found.copy:
            yield f"  and first copy about {size(found.bytes)} to {found.copy}"
        return
    yield f"{title('upgraded')}: {events} from format {found.before} to {found.after}, with the root unchanged"
    yield f"  {found.root}"
    if found.copy:
        yield f"What was before is in {found.copy}; delete it once you are sure."


def _verified(found: Verified) -> Iterator[str]:
    yield f"{title('whole')}: {count(found.size, 'event')} of ledger {found.ledger} give the recorded root"
    yield f"  {found.root}"
    if found.forgotten:
        yield f"  {count(found.forgotten, 'actor')} forgotten: events bear a pseudonym that no name stands for"
    yield "This proves that the ledger is whole in itself, not that nobody rewrote all of it: only a root or a signed"
    yield "head that was kept elsewhere proves history. Which name a pseudonym stands for nothing proves."


def _damages(found: list[Damaged]) -> Iterator[str]:
    if not found:
        yield f"{title('whole')}: nothing is damaged"
        return
    yield click.style(f"{count(len(found), 'thing')} damaged", fg="red", bold=True)
    yield from columns([(each.thing, each.expected, each.found) for each in found], head=("thing", "expected", "found"))
