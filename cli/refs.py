"""`branch`, `tag`, `alias`: the names that versions go by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from ..results import Protections, Refs, Version
from ..results.description import Text, number
from ..results.shapes.names import NAMES, PROTECTION
from ..results.words import say
from .command import Session, command, keyed
from .completion import aliases, branches, revisions, suites, tags
from .revision import expected, of_model, which_model
from .work.gating import requiring

F = TypeVar("F", bound=Callable[..., Any])

_FURTHER: Final[Mapping[str, Mapping[str, Any]]] = {"aliases": {"protected": {}}}
"""What an answer about names of a kind says besides, where it says nothing there."""
_NONE: Final = Refs("aliases", {})


def _listed(function: F) -> F:
    """The options that the three commands share."""
    gone = click.option("-d", "--delete", "gone", metavar="NAME", help="Give up a name; its versions stay.")
    return gone(which_model(function))


@command(
    {"done": "text?", "branches": NAMES},
    "lepton branch",
    "lepton branch hotfix production",
    "lepton branch -d risk",
)
@click.argument("name", required=False, metavar="[NAME", shell_complete=branches)
@click.argument("rev", required=False, metavar="[REV]]", shell_complete=revisions)
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
        _gone(session, kind, say("branch {name} is given up; its versions stay", name=gone))
    elif name:
        with session.noted() as news:
            stands = manager.branch(name, of_model(rev or "main", model), key=key)
        words = "branch {name} opened at version {version} of {model}"
        again = "branch {name} already stands at version {version} of {model}"
        _done(session, kind, words if news() else again, name, stands)
    else:
        _all(session, manager.branches(model))


@command({"done": "text?", "tags": NAMES}, "lepton tag", "lepton tag v2.0 main", "lepton tag -d v1.0")
@click.argument("name", required=False, metavar="[NAME", shell_complete=tags)
@click.argument("rev", required=False, metavar="[REV]]", shell_complete=revisions)
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
        _gone(session, kind, say("tag {name} is given up", name=gone))
    elif name:
        with session.noted() as news:
            stands = manager.tag(name, of_model(rev or "main", model), key=key)
        words = "tag {name} bound to version {version} of {model}"
        again = "tag {name} is already bound to version {version} of {model}"
        _done(session, kind, words if news() else again, name, stands)
    else:
        _all(session, manager.tags(model))


@command(
    {"done": "text?", "aliases": NAMES, "protected": {"NAME": PROTECTION}},
    "lepton alias",
    "lepton alias staging main --reason 'passed review'",
    "lepton alias production main --expect 2",
    "lepton alias protect production --require 'f1 >= against.f1 - 0.01'",
    "lepton alias -d production",
)
@click.argument("name", required=False, metavar="[NAME|protect|unprotect", shell_complete=aliases)
@click.argument("rev", required=False, metavar="REV|NAME]", shell_complete=revisions)
@click.option(
    "--expect",
    metavar="REV",
    shell_complete=revisions,
    help="Where it must stand before, 0 for nowhere; else nothing moves.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@requiring
@click.option(
    "--against",
    metavar="NAME",
    shell_complete=aliases,
    help="For protect: the alias, branch or tag that against. stands for; the alias itself if left out.",
)
@click.option("--suite", metavar="NAME", shell_complete=suites, help="For protect: the suite whose gate it is.")
@click.option("--override", is_flag=True, help="Move a protected alias without its gate, for the --reason.")
@_listed
@keyed
def alias(
    session: Session,
    name: str | None,
    rev: str | None,
    expect: str | None,
    reason: str,
    require: tuple[str, ...],
    against: str | None,
    suite: str | None,
    override: bool,
    gone: str | None,
    model: str | None,
    key: str | None,
) -> None:
    """List aliases, or put one on REV. An alias, such as production, may move to any version.

    `protect NAME` lets an alias move only to versions that passed a gate with these requirements (`lepton gate`),
    judged against where the alias stands then; `unprotect NAME` lets it move freely again. Protected, an alias is not
    deleted, and moves otherwise only with --override and a --reason, which are recorded.
    """
    manager, kind = session.manager, "aliases"
    _one(name, gone)
    if name != "protect" and (require or against or suite):
        raise click.UsageError(
            "--require, --against and --suite protect an alias; write `lepton alias protect NAME`",
            click.get_current_context(),
        )
    if name == "protect":
        _protect(session, rev, model, require=require, against=against, suite=suite, reason=reason, key=key)
    elif name == "unprotect":
        _unprotect(session, rev, model, reason, key)
    elif gone:
        manager.delete_alias(gone, model=model, key=key)
        _gone(session, kind, say("alias {name} is given up", name=gone))
    elif name:
        if rev is None:
            raise click.UsageError(
                f"alias {name} needs a version to stand on; name one behind it", click.get_current_context()
            )
        with session.noted() as news:
            told: dict[str, Any] = {"reason": reason, "override": override, "key": key}
            stands = manager.alias(name, of_model(rev, model), expected=expected(expect, model), **told)
        words = "alias {name} stands on version {version} of {model}"
        again = "alias {name} already stands on version {version} of {model}"
        _done(session, kind, words if news() else again, name, stands)
    else:
        names, protected = manager.aliases(model=model), manager.protections(model)
        shown = [*names.blocks(), *(("", *protected.blocks()) if protected else ())]
        _aliases(session, names, protected, shown)


def _protect(session: Session, name: str | None, model: str | None, **asked: Any) -> None:
    protection = session.manager.protect(_named(name, "protect"), model=model, **asked)
    _aliases(session, _NONE, Protections({protection.alias: protection}), protection)


def _unprotect(session: Session, name: str | None, model: str | None, reason: str, key: str | None) -> None:
    session.manager.unprotect(_named(name, "unprotect"), model=model, reason=reason, key=key)
    words = say("alias {name} moves freely again", name=str(name))
    _aliases(session, _NONE, Protections(), words, done=str(words))


def _named(name: str | None, act: str) -> str:
    if name is None:
        raise click.UsageError(f"{act} is about an alias; name one behind it", click.get_current_context())
    return name


def _aliases(session: Session, names: Refs, protected: Protections, shown: Any, *, done: str | None = None) -> None:
    session.answer({"done": done, **names.to_dict(), **protected.to_dict()}, shown)


def _one(name: str | None, gone: str | None) -> None:
    if name and gone:
        raise click.UsageError("-d gives up a name and makes none; leave the other out", click.get_current_context())


def _gone(session: Session, kind: str, words: Text) -> None:
    session.answer({"done": str(words), kind: {}, **_FURTHER.get(kind, {})}, words)


def _done(session: Session, kind: str, words: str, name: str, at: Version) -> None:
    done = say(words, name=name, version=number(at), model=at.model)
    session.answer({"done": str(done), **Refs(kind, {name: at}).to_dict(), **_FURTHER.get(kind, {})}, done)


def _all(session: Session, names: Refs) -> None:
    session.answer({"done": None, **names.to_dict()}, names)
