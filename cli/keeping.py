"""`init`, `sync`, `verify`, `fsck`, `rebuild`, `forget`: looking after the ledger itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import click

from ..errors import Damaged, Refused
from ..results import Synced, Verified
from .command import Session, command
from .text import columns, count, title

SPOOLED: Final = {
    "kind": "text?",
    "key": "text?",
    "actor": "text?",
    "time": "time?",
    "model": "text?",
    "run": "text?",
}


@command(
    {"home": "text", "ledger": "text", "created": "true or false", "open_to": "text", "changed": "number"},
    "lepton init",
    "lepton init --private",
)
@click.option("--shared", is_flag=True, help="For the group of its folder: who is in it may read and write all.")
@click.option("--group", metavar="NAME", help="For that group; --shared goes without saying.")
@click.option("--private", is_flag=True, help="For its owner alone, which it is unless umask and folder say otherwise.")
def init(session: Session, shared: bool, group: str | None, private: bool) -> None:
    """Make a home and its ledger: the one that is named, else .lepton in this folder.

    A home that is there already stays as it is; --shared, --group and --private change who may use it and all in it.
    Without this command the first one that writes makes a home.
    """
    from ..home import FOLDER, appoint, group_id

    if private and (shared or group):
        raise click.UsageError("a home is private or a group's; say one of the two", click.get_current_context())
    if session.home is None and not os.environ.get("LEPTON_HOME"):
        session.home = FOLDER
    parts, number = session.parts, None if group is None else group_id(group)
    created = parts.begin(for_group=shared or group is not None)
    folder, changed = parts.folder, 0
    if shared or private or group:
        changed = appoint(folder.path, for_group=not private, group=number)
    told = {"home": str(folder.path), "ledger": parts.store.ledger_id, "created": created}
    told |= {"open_to": folder.openness(), "changed": changed}
    done = "a new ledger is" if created else "the ledger was already"
    session.answer(told, lambda: [f"{done} in {title(str(folder.path))}, open to {told['open_to']}"])


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
