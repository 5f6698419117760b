"""`sync`, `kept`, `adopt`, `verify`, `fsck`, `rebuild`, `forget`: looking after the ledger itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from ..errors import Damaged, Refused
from ..results import Synced, Verified
from ..workers.refused import RefusedSave
from .command import Session, command, keyed
from .shapes import METRICS, VERSION
from .text import columns, count, title, version, when

SPOOLED: Final = {
    "kind": "text?",
    "key": "text?",
    "actor": "text?",
    "time": "time?",
    "model": "text?",
    "run": "text?",
}


KEPT: Final = {
    "name": "text",
    "model": "text",
    "branch": "text",
    "tags": ["text"],
    "message": "text",
    "metrics": METRICS,
    "run": "text?",
    "time": "time",
    "actor": "text",
    "reason": "text",
    "tensors": "digest",
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


@command({"kept": [KEPT], "dropped?": "text"}, "lepton kept", "lepton kept --drop 3f9c2ab41d70 --yes")
@click.option("--drop", metavar="NAME", help="Give one up for good.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
def kept(session: Session, drop: str | None, yes: bool) -> None:
    """List the saves that were refused. What was to be saved is kept in this home until it is adopted or dropped."""
    if drop is not None:
        session.confirm(f"Give {drop} up for good?", yes=yes)
        drop = session.manager.drop_kept(drop)
    found = session.manager.kept()
    told = {"kept": [each.to_dict() for each in found], "dropped": drop}
    session.answer(told, lambda: [f"{drop} is dropped"] if drop else _kept(found))


@command({"version": VERSION}, "lepton adopt 3f9c2ab41d70", "lepton adopt 3f9c2ab41d70 --branch late --parent 1")
@click.argument("name")
@click.option("--model", metavar="NAME", help="The model it becomes a version of, instead of its own.")
@click.option("--branch", metavar="NAME", help="The branch that gets it, instead of its own.")
@click.option("--parent", "parents", multiple=True, metavar="REV", help="What it comes from; may be repeated.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="A tag for it, instead of its own; may be repeated.")
@click.option("-m", "--message", metavar="TEXT", help="What it is, instead of its own message.")
@keyed
def adopt(session: Session, name: str, parents: tuple[str, ...], tags: tuple[str, ...], **told: Any) -> None:
    """Take a save that was refused into the ledger after all. NAME is what `lepton kept` calls it.

    Without --parent and --branch it becomes a child of its branch's head. Its own tags are left out where they are in
    use by now.
    """
    with session.waiting("adopting"):
        made = session.manager.adopt(name, parents=parents or None, tags=tags or None, **told)
    session.answer({"version": made.to_dict()}, lambda: [f"{name} is version {version(made)} of {made.model}"])


@command({"ledger": "text", "size": "number", "root": "digest"}, "lepton verify")
def verify(session: Session) -> None:
    """Is history what it was? Recomputes the Merkle root from every stored byte. Exits with 5 where it is not."""
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
    """Are the bytes whole? Reads everything, lists what is damaged, and exits with 5 where anything is."""
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


def _kept(found: Sequence[RefusedSave]) -> Iterator[str]:
    if not found:
        yield "no refused save is kept"
        return
    for each in found:
        moment = when(each.time, seconds=True)
        yield f"{title(each.name)}  {each.model} {each.branch}  {moment}  {each.message}".rstrip()
        yield f"  {each.reason}"


def _synced(found: Synced) -> Iterator[str]:
    if not (found.delivered or found.refused):
        yield "nothing waits"
    for each in found.delivered:
        what = f"version {each['version']} of {each['model']}" if each["version"] else f"run {each['run']}"
        yield f"{title('delivered')}  {each['kind']}  {what}"
    for each in found.refused:
        what = f"of {each['model'] or each['run']}, asked by {each['actor']}" if each["kind"] else "entry"
        yield f"{click.style('refused', fg='red', bold=True)}  {each['kind'] or 'damaged'} {what}: {each['reason']}"


def _verified(found: Verified) -> Iterator[str]:
    yield f"{title('whole')}: {count(found.size, 'event')} of ledger {found.ledger} give the recorded root"
    yield f"  {found.root}"
    yield "This shows that the ledger agrees with itself; that nobody rewrote it only a root kept elsewhere can show."


def _damages(found: list[Damaged]) -> Iterator[str]:
    if not found:
        yield f"{title('whole')}: nothing is damaged"
        return
    yield click.style(f"{count(len(found), 'thing')} damaged", fg="red", bold=True)
    yield from columns([(each.thing, each.expected, each.found) for each in found], head=("thing", "expected", "found"))
