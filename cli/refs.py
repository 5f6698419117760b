"""`branch`, `tag`, `alias`: the names that versions go by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from ..results import Refs, Version
from ..results.description import number, text
from .command import Session, command, keyed
from .revision import expected, of_model
from .shapes import VERSION

F = TypeVar("F", bound=Callable[..., Any])

NAMES: Final = {"NAME": VERSION}


def _listed(function: F) -> F:
    """The options that the three commands share."""
    gone = click.option("-d", "--delete", "gone", metavar="NAME", help="Give up a name; its versions stay.")
    model = click.option("--model", metavar="NAME", help="The model, where the ledger holds several.")
    return gone(model(function))


@command(
    {"done": "text?", "branches": NAMES},
    "lepton branch",
    "lepton branch hotfix production",
    "lepton branch -d risk",
)
@click.argument("name", required=False, metavar="[NAME")
@click.argument("rev", required=False, metavar="[REV]]")
@_listed
@keyed
def branch(
    session: Session, name: str | None, rev: str | None, gone: str | None, model: str | None, key: str | None
) -> None:
    """List branches, or open one at REV (the head of main if left out)."""
    manager, kind = session.manager, "branches"
    _one(name, gone)
    if gone:
        manager.delete_branch(gone, model=model, key=key)
        _gone(session, kind, f"branch {gone} is given up; its versions stay")
    elif name:
        with session.noted() as news:
            stands = manager.branch(name, of_model(rev or "main", model), key=key)
        _done(session, kind, f"branch {name} opened at" if news() else f"branch {name} already stands at", name, stands)
    else:
        _all(session, kind, manager.branches(model))


@command({"done": "text?", "tags": NAMES}, "lepton tag", "lepton tag v2.0 main", "lepton tag -d v1.0")
@click.argument("name", required=False, metavar="[NAME")
@click.argument("rev", required=False, metavar="[REV]]")
@_listed
@keyed
def tag(
    session: Session, name: str | None, rev: str | None, gone: str | None, model: str | None, key: str | None
) -> None:
    """List tags, or bind one to REV (the head of main if left out). A tag never moves."""
    manager, kind = session.manager, "tags"
    _one(name, gone)
    if gone:
        manager.delete_tag(gone, model=model, key=key)
        _gone(session, kind, f"tag {gone} is given up")
    elif name:
        with session.noted() as news:
            stands = manager.tag(name, of_model(rev or "main", model), key=key)
        _done(session, kind, f"tag {name} bound to" if news() else f"tag {name} is already bound to", name, stands)
    else:
        _all(session, kind, manager.tags(model))


@command(
    {"done": "text?", "aliases": NAMES},
    "lepton alias",
    "lepton alias staging main --reason 'passed review'",
    "lepton alias production main --expect 2",
    "lepton alias -d production",
)
@click.argument("name", required=False, metavar="[NAME")
@click.argument("rev", required=False, metavar="REV]")
@click.option("--expect", metavar="REV", help="Where it must stand before, 0 for nowhere; else nothing moves.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@_listed
@keyed
def alias(
    session: Session,
    name: str | None,
    rev: str | None,
    expect: str | None,
    reason: str,
    gone: str | None,
    model: str | None,
    key: str | None,
) -> None:
    """List aliases, or put one on REV. An alias, such as production, may move to any version."""
    manager, kind = session.manager, "aliases"
    _one(name, gone)
    if gone:
        manager.delete_alias(gone, model=model, key=key)
        _gone(session, kind, f"alias {gone} is given up")
    elif name:
        if rev is None:
            raise click.UsageError(
                f"alias {name} needs a version to stand on; name one behind it", click.get_current_context()
            )
        with session.noted() as news:
            stands = manager.alias(name, of_model(rev, model), expected=expected(expect, model), reason=reason, key=key)
        _done(session, kind, f"alias {name} stands on" if news() else f"alias {name} already stands on", name, stands)
    else:
        _all(session, kind, manager.aliases(model=model))


def _one(name: str | None, gone: str | None) -> None:
    if name and gone:
        raise click.UsageError("-d gives up a name and makes none; leave the other out", click.get_current_context())


def _gone(session: Session, kind: str, words: str) -> None:
    session.answer({"done": words, kind: {}}, words)


def _done(session: Session, kind: str, words: str, name: str, at: Version) -> None:
    shown = {"done": f"{words} version {at} of {at.model}", kind: {name: at.to_dict()}}
    session.answer(shown, text(f"{words} version ", number(at), f" of {at.model}"))


def _all(session: Session, kind: str, names: Refs) -> None:
    session.answer({"done": None, kind: {name: at.to_dict() for name, at in names.items()}}, names)
