"""`models`, `metric`, `clear`, `annotate`, `describe`, `archive`, `unarchive`: what is known beside the bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ..results import Models, VersionRecord
from ..results.description import Block, dim, grid, number
from ..results.figures import count, figure
from ..results.shapes.figures import BETTER
from ..results.shapes.history import MODEL
from ..results.shapes.names import VERSION
from ..results.words import say, word
from .command import Session, command, keyed
from .completion import models as known_models
from .completion import revisions


@command(
    {"models": [MODEL]},
    "lepton models",
    "lepton models --all",
)
@click.option("--all", "everything", is_flag=True, help="Archived ones too.")
def models(session: Session, everything: bool) -> None:
    """List the models that the ledger holds."""
    records = [session.manager.about(name) for name in session.manager.models()]
    visible = Models(record for record in records if everything or not record.archived)
    session.answer(visible.to_dict(), _models(visible, hidden=len(records) - len(visible)))


@command(
    {"models": {"NAME": BETTER}},
    "lepton metric",
    "lepton metric define credit fid --better lower",
)
@click.argument("act", required=False, type=click.Choice(["define"]), metavar="[ACTION]")
@click.argument("model", required=False, metavar="[MODEL]", shell_complete=known_models)
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--better", type=click.Choice(["lower", "higher"]), help="Which way the metric is better.")
@keyed
def metric(
    session: Session, act: str | None, model: str | None, name: str | None, better: str | None, key: str | None
) -> None:
    """List the metrics whose direction was defined, or define one by the ACTION define.

    Versions are ranked by these and by the metrics that docs/metrics.md lists, and by no others.
    """
    manager = session.manager
    if act and not (model and name and better):
        raise click.UsageError("define needs all three: MODEL NAME --better lower", click.get_current_context())
    done: list[Block] = []
    if model and name and better:
        with session.noted() as news:
            manager.define_metrics({name: better}, model=model, key=key)
        told = (
            "{name} of {model} is better {way}"
            if news()
            else "{name} of {model} is better {way}, as it was defined already"
        )
        done = [say(told, name=name, model=model, way=word(better))]
    defined = {each: manager.about(each).better for each in ([model] if model else manager.models())}
    rows = [
        (each, name, say("better {way}", way=word(way))) for each, ways in defined.items() for name, way in ways.items()
    ]
    none = "no metric was defined; `lepton metric define MODEL NAME --better lower` does so"
    session.answer({"models": defined}, done or (grid(rows) if rows else word(none)))


@command(VERSION, "lepton clear 6 --reason 'the alarm was false'")
@click.argument("rev", shell_complete=revisions)
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the record.")
@keyed
def clear(session: Session, rev: str, reason: str, key: str | None) -> None:
    """Let a version that was rolled back from be suggested again."""
    with session.noted() as news:
        version = session.manager.clear(rev, reason=reason, key=key)
    words = "version {version} of {model} may be suggested again"
    if not news():
        words = "version {version} of {model} may already be suggested again"
    session.answer(version.to_dict(), say(words, version=number(version), model=version.model))


@command(
    {"version": VERSION, "annotations": {"NAME": "any"}},
    "lepton annotate main ticket=RISK-12 reviewed=true",
    "lepton annotate main ticket=",
)
@click.argument("rev", shell_complete=revisions)
@click.argument("notes", nargs=-1, required=True, metavar="KEY=VALUE...")
@keyed
def annotate(session: Session, rev: str, notes: tuple[str, ...], key: str | None) -> None:
    """Put notes on a version: numbers, true or false, else text; KEY= takes one off.

    Everybody can read a note, for ever: name no person in it.
    """
    session.manager.annotate(rev, dict(map(_note, notes)), key=key)
    record = session.manager.show(rev)
    answer = {"version": record.version.to_dict(), "annotations": dict(record.annotations)}
    session.answer(answer, _notes(record))


@command(
    {"what": "text", "description": "text"},
    "lepton describe credit 'who may have a loan'",
    "lepton describe main 'the one that the board saw'",
)
@click.argument("what", shell_complete=revisions)
@click.argument("text")
@keyed
def describe(session: Session, what: str, text: str, key: str | None) -> None:
    """Say what a model is for (WHAT is its name), or what a version is (WHAT is any other revision)."""
    session.manager.describe(what, text, key=key)
    session.answer({"what": what, "description": text}, say("{what} is described", what=what))


@command({"model": "text", "archived": "true or false"}, "lepton archive credit --reason 'replaced by credit-2'")
@click.argument("model", required=False, metavar="[MODEL]", shell_complete=known_models)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@keyed
def archive(session: Session, model: str | None, reason: str, key: str | None) -> None:
    """Close a model to new versions and rollbacks; all of it stays readable."""
    _one_meant(session, model)
    with session.noted() as news:
        session.manager.archive(model, reason=reason, key=key)
    words = "model {model} is archived; `lepton unarchive` opens it again"
    again = "model {model} is already archived; `lepton unarchive` opens it again"
    _archived(session, model, words if news() else again)


@command({"model": "text", "archived": "true or false"}, "lepton unarchive credit")
@click.argument("model", required=False, metavar="[MODEL]", shell_complete=known_models)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@keyed
def unarchive(session: Session, model: str | None, reason: str, key: str | None) -> None:
    """Open an archived model again."""
    _one_meant(session, model)
    with session.noted() as news:
        session.manager.unarchive(model, reason=reason, key=key)
    _archived(session, model, "model {model} is open" if news() else "model {model} is open already")


def _one_meant(session: Session, model: str | None) -> None:
    """Raise a usage error where several models could be meant: this takes no --model."""
    manager = session.manager
    names = [] if model else manager.models()
    names = [each for each in names if not manager.about(each).archived] or names
    if len(names) > 1:
        here = click.get_current_context()
        raise click.UsageError(f"this ledger holds several models, {', '.join(names[:10])}; name one of them", here)


def _archived(session: Session, model: str | None, words: str) -> None:
    record = session.manager.about(model)
    session.answer({"model": record.model, "archived": record.archived}, say(words, model=record.model))


def _models(records: Models, *, hidden: int) -> Iterator[Block]:
    if records:
        yield from records.blocks()
    elif not hidden:
        yield word("there are no models yet; `lepton train` or `lepton save` makes the first")
    if hidden:
        yield dim(str(say("and {models}; --all shows them", models=count(hidden, "archived model"))))


def _note(words: str) -> tuple[str, Any]:
    name, equals, value = words.partition("=")
    if not name or not equals:
        raise click.UsageError(f"{words!r} is no note; write KEY=VALUE", click.get_current_context())
    if not value:
        return name, None
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    return name, read if isinstance(read, str | int | float | bool) else value


def _notes(found: VersionRecord) -> Iterator[Block]:
    at, notes = found.version, found.annotations
    names = {"version": number(at), "model": at.model, "notes": count(len(notes), "note")}
    yield say("version {version} of {model} bears {notes}", **names)
    yield grid(((dim(name), figure(value)) for name, value in sorted(notes.items())), indent=2)
