"""The moves of a model's branches and aliases, newest first: of all, of a branch with its past, of some versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from typing import NamedTuple

from .state import ModelState, Move, NameKind, Ref


class RefMove(NamedTuple):
    """One move of a branch, tag or alias."""

    kind: NameKind
    ref: Ref
    move: Move


def all_moves(model: ModelState, before: int | None = None) -> Iterator[RefMove]:
    """Every move there was, with `before` those before that event. As of all of these, what is read on to is what it
    costs."""
    refs = (*_refs(model, "branch"), *_refs(model, "alias"))
    return _merged([_each(kind, ref, ref.history(before)) for kind, ref in refs])


def moves_of_branch(model: ModelState, branch: str, before: int | None = None) -> Iterator[RefMove]:
    """A branch's own moves; and wherever they were made, the commits of its past and what was put on them."""

    def within(kind: NameKind, ref: Ref, move: Move) -> bool:
        if kind == "branch" and ref.name == branch:
            return True
        return (kind == "alias" or move.kind == "created") and _reached(move, lambda to: model.in_past(branch, to))

    return _with_commits(model, model.past_newest_first(branch, before), within, before)


def moves_up_to(model: ModelState, version: int, before: int | None = None) -> Iterator[RefMove]:
    """The commits of a version and of what it comes from, and the branches that were opened there."""
    return _of_versions(model, model.ancestry(version, before=before), lambda to: model.comes_from(version, to), before)


def moves_between(model: ModelState, start: int, end: int, before: int | None = None) -> Iterator[RefMove]:
    """`A..B`: as `moves_up_to`, of what B comes from and A does not."""

    def between(to: int) -> bool:
        return model.comes_from(end, to) and not model.comes_from(start, to)

    return _of_versions(model, model.ancestry(end, without=(start,), before=before), between, before)


def _of_versions(
    model: ModelState, numbers: Iterable[int], named: Callable[[int], bool], before: int | None
) -> Iterator[RefMove]:
    def within(_kind: NameKind, _ref: Ref, move: Move) -> bool:
        return move.kind == "created" and _reached(move, named)

    return _with_commits(model, numbers, within, before)


def _with_commits(
    model: ModelState, numbers: Iterable[int], within: Callable[[NameKind, Ref, Move], bool], before: int | None
) -> Iterator[RefMove]:
    """The commits of these versions, among the other moves that are within and before that event."""
    refs = (*_refs(model, "branch"), *_refs(model, "alias"))
    others = ((each for each in _each(kind, ref, ref.moves_apart(before)) if within(*each)) for kind, ref in refs)
    return _merged([_commits(model, numbers), *others])


def _commits(model: ModelState, numbers: Iterable[int]) -> Iterator[RefMove]:
    for number in numbers:
        version = model.versions[number]
        ref = model.branches[version.event.branch]
        yield RefMove("branch", ref, ref.move_of(version.seq))


def _reached(move: Move, named: Callable[[int], bool]) -> bool:
    return move.to_version is not None and named(move.to_version)


def _refs(model: ModelState, kind: NameKind) -> Iterator[tuple[NameKind, Ref]]:
    for ref in (model.branches if kind == "branch" else model.aliases).values():
        yield kind, ref


def _each(kind: NameKind, ref: Ref, moves: Iterable[Move]) -> Iterator[RefMove]:
    return (RefMove(kind, ref, move) for move in moves)


def _merged(streams: list[Iterator[RefMove]]) -> Iterator[RefMove]:
    return merge(*streams, key=lambda each: each.move.seq, reverse=True)
