"""How revisions are resolved: which model a text speaks of, and which version it names there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import merge
from itertools import islice

from ...errors import Refused, UnknownRevision
from ..names import checked_model
from .ancestry import first_parents_ago
from .revision import (
    DIGEST,
    Ancestor,
    AsOf,
    MovesAgo,
    NthParent,
    Revision,
    ends,
    parse,
    parse_range,
    parts,
    revision,
    same_model,
)
from .state import ModelState, Move, Ref, digest_key

__all__ = ["Resolved", "Revision", "only", "parse", "parse_range", "resolve", "split", "split_range"]


def _never(model: str) -> bool:  # noqa: ARG001 - a model's name
    return False


@dataclass(frozen=True, slots=True)
class Resolved:
    """The version a revision names; where a time was asked for, `seq` is the move that had put the ref there."""

    version: int
    seq: int | None = None


def only(models: Sequence[str], archived: Callable[[str], bool], *, python: str, cli: str) -> str:
    """The model that is meant where none is named. Archived ones are asked about, and not meant, beside others."""
    if not models:
        raise UnknownRevision(
            "there is no model yet",
            python="save_version or train makes the first",
            cli="`lepton train` or `lepton save` makes the first",
        )
    meant = [model for model in models if len(models) == 1 or not archived(model)] or models
    if len(meant) > 1:
        listed = ", ".join(sorted(meant)[:10]) + (f" and {len(meant) - 10} more" if len(meant) > 10 else "")
        raise Refused(f"this ledger holds several models, {listed}", python=python, cli=cli)
    return meant[0]


def split(text: str, models: Sequence[str], archived: Callable[[str], bool] = _never) -> tuple[str, Revision]:
    """The model that a revision is of, among those of a home, and the revision, which names it.

    A bare name of a model means its branch main, before any branch, tag or alias of that name. Raises `Refused` where
    several models could be meant, `UnknownRevision` where there is none of that name; see `only`.
    """
    model, base, steps = parts(text)
    if model is None and base in models:
        return base, Revision("main", steps, base)
    if model is None:
        model = only(models, archived, python=f"write MODEL@{text}", cli=f"write MODEL@{text}")
    parsed = revision(model, base, steps)
    if (model := checked_model(str(parsed.model))) not in models:
        raise UnknownRevision(f"there is no model {model!r}; {_near(model, models) or '`lepton models` lists them'}")
    return model, parsed


def split_range(
    text: str, models: Sequence[str], archived: Callable[[str], bool] = _never
) -> tuple[str, Revision, Revision]:
    """As `split`, for both ends of `A..B`; where B names no model it is A's."""
    start, end = ends(text)
    model, first = split(start, models, archived)
    named, base, _ = parts(end)
    last = split(end, models)[1] if named is not None or base in models else parse(end)
    return model, first, same_model(first, last)


def resolve(model: ModelState, revision: Revision) -> Resolved:
    """The version that a revision names in a model.

    Raises `UnknownRevision` where it names none, saying how far it goes, and `Refused` where a digest prefix fits
    several versions.
    """
    if not model.registered or revision.model not in (None, model.name):
        raise UnknownRevision(f"there is no model {revision.model or model.name!r} here; `lepton models` lists them")
    steps, seq = revision.steps, None
    if steps and isinstance(steps[0], MovesAgo | AsOf):
        move = _last_move(model, str(revision.base), steps[0])
        if move.to_version is None:
            raise UnknownRevision(f"'{revision}' names nothing: {revision.base!r} had been deleted; go farther back")
        number, seq, steps = move.to_version, move.seq if isinstance(steps[0], AsOf) else None, steps[1:]
    else:
        number = _named(model, revision.base)
    for step in steps:
        match step:
            case Ancestor(n):
                number = _ancestor(model, revision, number, n)
            case NthParent(n):
                number = _parent(model, revision, number, n)
            case _:
                raise UnknownRevision(f"'{revision}' asks where a version stood; @{{...}} goes right behind a name")
    return Resolved(number, seq)


def _named(model: ModelState, base: int | str) -> int:
    if isinstance(base, int):
        return model.version(base).number
    match model.taken(base):
        case "tag":
            return model.tags[base]
        case "branch" | "alias" as kind:
            return model.live(kind)[base]
        case None:
            return _by_digest(model, base)


def _by_digest(model: ModelState, base: str) -> int:
    prefix, found = f"sha256:{base.lower().removeprefix('sha256:')}", dict[str, int]()
    if DIGEST.fullmatch(base):
        for number in model.digests.get(digest_key(prefix), ()):
            if (digest := model.versions[number].event.digest).startswith(prefix):
                # two numbers under one digest are the same work done twice: the first stands for both
                found.setdefault(digest, number)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        candidates = ", ".join(f"{number} ({digest[7:23]}...)" for digest, number in found.items())
        raise Refused(f"{base!r} fits several versions of {model.name}: {candidates}; write more of the digest")
    what = "version whose digest begins with" if DIGEST.fullmatch(base) else "branch, tag or alias"
    names = [*model.live("branch"), *model.tags, *model.live("alias")]
    raise UnknownRevision(
        f"{model.name} has no {what} {base!r}; {_near(base, names) or f'`lepton log {model.name}` lists what it has'}"
    )


def _last_move(model: ModelState, name: str, step: MovesAgo | AsOf) -> Move:
    """The move after which a name, in use or given up, stood where it is asked for."""
    if name in model.tags:
        raise UnknownRevision(f"{name!r} is a tag of {model.name}; tags do not move: ask a branch or an alias")
    if isinstance(step, MovesAgo):
        return _moves_ago(model, name, step.n)
    first = None
    # not in the order of their times where a clock was wrong for a while
    for first in _moves(model, name):
        if first.time <= step.instant:
            return first
    raise UnknownRevision(f"{name!r} goes back to {first and first.time.isoformat()}; nothing stood there before")


def _moves(model: ModelState, name: str) -> Iterator[Move]:
    """All moves of a name, newest first; one that was a branch and an alias in turn has both."""
    return merge(*(ref.history() for ref in _refs(model, name)), key=lambda move: move.seq, reverse=True)


def _moves_ago(model: ModelState, name: str, n: int) -> Move:
    refs = _refs(model, name)
    if n >= (count := sum(len(ref.moves) for ref in refs)):
        raise UnknownRevision(f"{name!r} cannot go back {n} moves: @{{{count - 1}}} was its first place")
    if len(refs) == 1:
        return refs[0].moves[count - 1 - n]
    return next(islice(_moves(model, name), n, None))


def _refs(model: ModelState, name: str) -> list[Ref]:
    """The branch, the alias or both that bore a name."""
    refs = [kind[name] for kind in (model.branches, model.aliases) if name in kind]
    if not refs:
        near = _near(name, [*model.branches, *model.aliases])
        raise UnknownRevision(
            f"{model.name} never had a branch or alias {name!r}; {near or '`lepton branch` lists them'}"
        )
    return refs


def _ancestor(model: ModelState, revision: Revision, number: int, n: int) -> int:
    if n == 0:
        raise UnknownRevision(f"'{revision}' names nothing: ~ counts from ~1, the first parent of version {number}")
    if n > (depth := model.version(number).descent.depth):
        far = f"goes back as far as ~{depth}" if depth else "has no parent"
        raise UnknownRevision(f"'{revision}' names nothing: version {number} {far}")
    return first_parents_ago(model.versions, number, n)


def _parent(model: ModelState, revision: Revision, number: int, n: int) -> int:
    parents = model.version(number).parents
    if not 1 <= n <= len(parents):
        has = (
            f"has parents ^1 to ^{len(parents)}" if len(parents) > 1 else "has ^1 only" if parents else "has no parent"
        )
        raise UnknownRevision(f"'{revision}' names nothing: version {number} {has}")
    return parents[n - 1]


def _near(word: str, names: Iterable[str]) -> str:
    """The names that look like a word, as advice, empty where none does."""
    near = get_close_matches(word, list(names), n=3)
    return f"did you mean {' or '.join(near)}?" if near else ""
