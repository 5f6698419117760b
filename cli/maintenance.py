"""`init`, `sync`, `kept`, `adopt`, `fsck`, `rebuild`, `forget`, `upgrade`: looking after a ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, cast

import click

from ..errors import Damaged, LeptonError, Refused
from ..results import Damages, HealedPack
from ..results.description import Block, number, title
from ..results.maintenance.standing import unprojected
from ..results.shapes.figures import METRICS
from ..results.shapes.names import VERSION
from ..results.words import say, word
from .command import Session, command, keyed
from .completion import branches, models, revisions

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
    answer = {"home": str(folder.path), "ledger": parts.store.ledger_id, "created": created}
    answer |= {"open_to": folder.openness(), "changed": changed}
    done = (
        "a new ledger is in {home}, open to {whom}" if created else "the ledger was already in {home}, open to {whom}"
    )
    session.answer(answer, say(done, home=title(str(folder.path)), whom=word(folder.openness())))


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
        synced = session.manager.sync(again=again)
    session.answer(synced.to_dict(), synced)
    if synced.refused:
        raise click.exceptions.Exit(Refused.exit_code)


@command({"kept": [KEPT], "dropped?": "text"}, "lepton kept", "lepton kept --drop 3f9c2ab41d70 --yes")
@click.option("--drop", metavar="NAME", help="Give one up for good.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
def kept(session: Session, drop: str | None, yes: bool) -> None:
    """List the saves that were refused. What was to be saved is kept in this home until it is adopted or dropped."""
    if drop is not None:
        session.confirm(f"Give {drop} up for good?", yes=yes)
        drop = session.manager.drop_kept(drop)
    saves = session.manager.kept()
    session.answer(saves.to_dict() | {"dropped": drop}, say("{name} is dropped", name=drop) if drop else saves)


@command({"version": VERSION}, "lepton adopt 3f9c2ab41d70", "lepton adopt 3f9c2ab41d70 --branch late --parent 1")
@click.argument("name")
@click.option(
    "--model", metavar="NAME", shell_complete=models, help="The model it becomes a version of, instead of its own."
)
@click.option("--branch", metavar="NAME", shell_complete=branches, help="The branch that gets it, instead of its own.")
@click.option(
    "--parent",
    "parents",
    multiple=True,
    metavar="REV",
    shell_complete=revisions,
    help="What it comes from, also MODEL@REV; may be repeated.",
)
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="A tag for it, instead of its own; may be repeated.")
@click.option("-m", "--message", metavar="TEXT", help="What it is, instead of its own message.")
@keyed
def adopt(session: Session, name: str, parents: tuple[str, ...], tags: tuple[str, ...], **changes: Any) -> None:
    """Take a save that was refused into the ledger after all. NAME is what `lepton kept` calls it.

    Without --parent and --branch it becomes a child of its branch's head. Its own tags are left out where they are in
    use by now.
    """
    with session.waiting("adopting"):
        made = session.manager.adopt(name, parents=parents or None, tags=tags or None, **changes)
    session.answer(
        {"version": made.to_dict()},
        say("{name} is version {version} of {model}", name=name, version=number(made), model=made.model),
    )


@command(
    {
        "healed": [{"pack": "text", "into": ["text"], "missing": ["text"]}],
        "damaged": [{"thing": "text", "expected": "text", "found": "text"}],
        "unprojected": "number",
    },
    "lepton fsck",
    "lepton fsck --heal",
    "lepton fsck --events --objects",
)
@click.option("--events", is_flag=True, help="Look at the events only, or at all parts that are named.")
@click.option("--objects", is_flag=True, help="Look at the stored tensors and files, and restore each version.")
@click.option("--projection", is_flag=True, help="Compare the views with a rebuild.")
@click.option("--heal", is_flag=True, help="First write damaged objects again from whole copies at hand.")
@click.option("--from", "places", multiple=True, metavar="PLACE", help="With --heal: a copy of the objects, too.")
def fsck(session: Session, events: bool, objects: bool, projection: bool, heal: bool, places: tuple[str, ...]) -> None:
    """Read every stored byte and list what is damaged. Exits with 5 where anything is.

    --heal looks for whole copies in the ledger's other packs, in its spool and where --from says (a folder or a URL as
    LEPTON_OBJECTS takes): what is found is written again, what is not stays damaged. Saving a model again whose
    tensors are at hand heals its version too. Events that the views set aside, because a value in them is larger than
    a view holds, are no damage; they are named. --events finds what `verify` finds: the log, its tree, the tables
    beside it, and triggers, rules and views that are not Lepton's. It goes on after the first.
    """
    if places and not heal:
        raise click.UsageError("--from says where --heal looks for copies; give --heal too")
    healed: tuple[HealedPack, ...] = ()
    if heal:
        with session.waiting("healing"):
            healed = session.manager.heal(*places).packs
    everything = not (events or objects or projection)
    with session.waiting("reading everything"):
        damage = session.manager.fsck(
            events=events or everything, objects=objects or everything, projection=projection or everything
        )
    aside = 0
    if projection or everything:
        with suppress(LeptonError):  # it is among what was found
            aside = len(cast("list[Any]", session.manager.sql("FROM unprojected").to_pylist()))
    answer = {"healed": healed, **damage.to_dict(), "unprojected": aside}
    session.answer(answer, _damages(healed, damage, aside))
    if damage:
        raise click.exceptions.Exit(Damaged.exit_code)


@command({"seq": "number"}, "lepton rebuild")
@click.option("--from", "source", type=click.Choice(["database", "kafka"]), default="database", help="Read from there.")
def rebuild(session: Session, source: str) -> None:
    """Make the views anew from the events."""
    with session.waiting("rebuilding"):
        seq = session.manager.rebuild() if source == "database" else session.manager.rebuild_from_kafka()
    session.answer({"seq": seq}, say("the views are made anew, up to event {seq}", seq=seq))


@command({"actor": "text"}, "lepton forget bob --yes")
@click.argument("name", metavar="ACTOR")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
def forget(session: Session, name: str, yes: bool) -> None:
    """Delete the name and key of a person or of an outside source, for good; no hash changes.

    What they wrote, and what of their messages was refused, shows as [forgotten].
    """
    session.confirm(f"Forget {name} for good?", yes=yes)
    if not session.manager.forget_actor(name):
        raise Refused(f"there is nobody named {name!r} here; `lepton log` shows who acted")
    session.answer({"actor": name}, say("{name} is forgotten", name=name))


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
        upgraded = session.manager.upgrade(dry_run=dry_run)
    session.answer(upgraded.to_dict(), upgraded)


def _damages(packs: Iterable[HealedPack], damages: Damages, aside: int) -> Iterator[Block]:
    for each in packs:
        yield from each.blocks()
    if aside:
        yield unprojected(aside)
    yield from damages.blocks()
