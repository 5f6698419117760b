"""Where the names of a model stand, each with its last move; and all moves of one name."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Final

from ...domain.model.moves import RefMove
from ...domain.model.state import ModelState, Move, NameKind, Ref
from ...errors import Malformed, UnknownRevision
from ...events.envelope import decode
from ...events.model import TagCreated, TagDeleted
from ...results import Log, Refs
from ..overview import history
from ..workspace import Workspace

PLURAL: Final[dict[NameKind, str]] = {"branch": "branches", "tag": "tags", "alias": "aliases"}


def standing(workspace: Workspace, model: ModelState, kind: NameKind, seq: int | None = None) -> Refs:
    """The names of a kind in order, each with its version and last move; with `seq` as they stood behind that event."""
    if kind == "tag":
        found = {name: (number, model.tag_moves[name][-1]) for name, number in sorted(model.tags.items())}
        last = model.last_of_all("tag")
    else:
        refs = model.branches if kind == "branch" else model.aliases
        moves = [(name, move) for name, ref in sorted(refs.items()) if (move := ref.last_move(seq)) is not None]
        found = {name: (move.to_version, move.seq) for name, move in moves if move.to_version is not None}
        last = max((move.seq for _, move in moves), default=0)
    return Refs(
        PLURAL[kind],
        {name: workspace.version(model, number) for name, (number, _) in found.items()},
        {name: at for name, (_, at) in found.items()},
        last,
    )


def moves(
    workspace: Workspace,
    model: ModelState,
    name: str,
    kind: NameKind | None = None,
    *,
    before: int | None = None,
    most: int | None = None,
) -> Log:
    """The moves of one name, newest first: of a kind, else of all that it ever named; only those before an event."""
    if kind not in (None, *PLURAL):
        raise Malformed(f"{kind!r} is no kind of name; choose branch, tag or alias")
    found = [_moves(workspace, model, each, name, before) for each in PLURAL if kind in (None, each)]
    if not any(_ever(model, each, name) for each in PLURAL if kind in (None, each)):
        what = kind or "branch, tag or alias"
        raise UnknownRevision(f"{model.name} never had a {what} {name!r}; `lepton about {model.name}` lists its names")
    return history.log(workspace, model, merge(*found, key=lambda each: each.move.seq, reverse=True), most)


def _ever(model: ModelState, kind: NameKind, name: str) -> bool:
    return name in {"branch": model.branches, "tag": model.tag_moves, "alias": model.aliases}[kind]


def _moves(workspace: Workspace, model: ModelState, kind: NameKind, name: str, before: int | None) -> Iterator[RefMove]:
    if kind == "tag":
        for seq in reversed(model.tag_moves.get(name, ())):
            if before is None or seq < before:
                yield RefMove("tag", Ref(name), _of_tag(workspace, seq))
    else:
        ref = (model.branches if kind == "branch" else model.aliases).get(name, Ref(name))
        yield from (RefMove(kind, ref, move) for move in ref.history(before))


def _of_tag(workspace: Workspace, seq: int) -> Move:
    """A move of a tag, which the log alone tells whole."""
    (row,) = workspace.ledger.store.read(seq - 1, 1)
    recorded = decode(row.envelope, row.leaf, row.seq)
    at, who = (seq, recorded.recorded), (recorded.actor, "")
    match recorded.event:
        case TagCreated(version=number):
            return Move(*at, "created", None, number, *who)
        case TagDeleted(version=number):
            return Move(*at, "deleted", number, None, *who)
        case event:
            raise TypeError(f"{event.type} moves no tag")
