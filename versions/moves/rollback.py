"""Rolling back: restore by replaying deltas, verify, and only then record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...domain.commands import Expected, RollBack, RollBackAlias
from ...domain.model.figures import shared
from ...domain.model.refs import before_last_move, decide_rollback, standing
from ...domain.model.state import ModelState
from ...errors import Refused
from ...events.event import Event
from ...events.model import AliasMoved, AliasRolledBack, BranchRolledBack
from ...ledger import Receipt
from ...results import Rehearsal, RollbackPlan, RolledBack
from ..deltas import graph_of
from ..judging.rehearsal import pass_gate, rehearse
from ..restore import verified_event
from ..suites.known import protecting
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...tensors.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a caller asks to roll back; see `ModelManager.rollback`."""

    branch: str = "main"
    alias: str | None = None
    to: int | None = None
    expected: Expected | None = None
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The caller's words for `to` and `expected`."""
    reason: str = ""
    move_aliases: Sequence[str] = ()
    rehearse: Any = None
    override: bool = False
    """Whether protected aliases move without their gate, for the reason."""


def roll_back(workspace: Workspace, model: ModelState, aim: Aim, key: str | None = None) -> RolledBack:
    """Put a branch or alias on a version of its past. Nothing is recorded unless every byte of it was restored."""
    if workspace.known(key):
        receipt = workspace.admit(_command(workspace, model, aim, 0, aim.to or 0, ()), key)
        return _answer(workspace, model, aim, receipt, 0, None)
    head, target, moves = _ends(workspace, model, aim)
    if rehearsal := _rehearsed(workspace, model, aim, head, target, moves):
        pass_gate(workspace, model, rehearsal, aim.rehearse, excused=bool(aim.reason))
    replayed = _restorable(workspace, model, target) if moves else ()
    receipt = workspace.admit(_command(workspace, model, aim, head, target, replayed), key)
    return _answer(workspace, model, aim, receipt, target, rehearsal)


def _answer(
    workspace: Workspace, model: ModelState, aim: Aim, receipt: Receipt, target: int, rehearsal: Rehearsal | None
) -> RolledBack:
    """What a rollback came to, as its events tell it: the same however often it is sent."""
    head, replayed = target, ()
    match receipt.events[0].event if receipt.events else None:
        case BranchRolledBack() as moved:
            head, target, replayed = moved.from_version, moved.to_version, moved.replayed
        case AliasRolledBack() as moved if aim.alias is not None:
            head, target, replayed = moved.from_version, moved.to_version, moved.replayed
        case AliasRolledBack(to_version=to) | AliasMoved(to_version=to):
            head = target = to  # the branch stood there already, and aliases followed it
        case _:
            pass
    return RolledBack(
        model=model.name,
        ref=aim.alias or aim.branch,
        from_version=workspace.version(model, head),
        to_version=workspace.version(model, target),
        replayed=replayed,
        rehearsal=rehearsal,
        moved=head != target and bool(receipt.events),
        aliases_taken_along=_taken_along(aim, (recorded.event for recorded in receipt.events)),
        alias=aim.alias is not None,
    )


def plan(workspace: Workspace, model: ModelState, aim: Aim) -> RollbackPlan:
    """What a rollback would change, without changing it."""
    head, target, moves = _ends(workspace, model, aim)
    both = shared([model.figures_of(head), model.figures_of(target)])
    tensors = model.version(target).event.tensors
    path = graph_of(model, tensors).cheapest(tensors)
    now, then = (workspace.vault.manifest(model.version(number).event.tensors) for number in (head, target))
    changed = _changed(now, then)
    return RollbackPlan(
        model=model.name,
        ref=aim.alias or aim.branch,
        from_version=workspace.version(model, head),
        to_version=workspace.version(model, target),
        crossed=tuple(number for number in model.ancestry(head, without=(target,)) if number != head),
        tensors_changed=len(changed),
        bytes_changed=sum(changed.values()),
        bytes_read=path.cost,
        deltas=len(path.steps),
        metrics_now={name: figure.value for name, (figure, _) in both.items()},
        metrics_then={name: figure.value for name, (_, figure) in both.items()},
        aliases_left_behind=tuple(
            name
            for name, number in model.live("alias").items()
            if number == head != target and name != aim.alias and name not in aim.move_aliases
        ),
        aliases_taken_along=_taken_along(aim, moves),
        rehearsal=_rehearsed(workspace, model, aim, head, target, moves),
        alias=aim.alias is not None,
    )


def _rehearsed(
    workspace: Workspace, model: ModelState, aim: Aim, head: int, target: int, moves: Sequence[Event]
) -> Rehearsal | None:
    """The rehearsal that was asked for: of the version that is left, by an alias where the branch stands still."""
    if aim.rehearse is None or not moves:
        return None
    left = head if head != target else next(iter(_taken_along(aim, moves).values()))
    return rehearse(workspace, model, left, target, aim.rehearse)


def _taken_along(aim: Aim, moves: Iterable[Event]) -> dict[str, int]:
    """The aliases that go with a branch, each with the version it leaves."""
    return {
        move.alias: move.from_version
        for move in moves
        if isinstance(move, AliasMoved | AliasRolledBack) and move.from_version and move.alias != aim.alias
    }


def _ends(workspace: Workspace, model: ModelState, aim: Aim) -> tuple[int, int, tuple[Event, ...]]:
    """Where the ref stands, where it is to go and the moves that makes, decided once before any work is done."""
    if aim.alias is not None:
        head = standing(model, aim.alias)
        target = before_last_move(model, aim.alias) if aim.to is None else aim.to
    elif aim.to is None:
        raise Refused("a branch is rolled back to a version; name one, or let `suggest_rollback` propose it")
    else:
        head, target = model.head(aim.branch) or 0, aim.to
    return head, target, decide_rollback(model, _command(workspace, model, aim, head, target, ()))


def _restorable(workspace: Workspace, model: ModelState, number: int) -> tuple[str, ...]:
    """Restore every chunk of a version, verify it, keep none: the deltas that took, in order."""
    event = verified_event(workspace, model, number)
    graph = graph_of(model, event.tensors)
    for damage in workspace.vault.check_manifest(event.tensors, graph):
        raise damage
    return tuple(edge.digest for edge, _ in graph.cheapest(event.tensors).steps)


def _command(
    workspace: Workspace, model: ModelState, aim: Aim, head: int, target: int, replayed: tuple[str, ...]
) -> RollBack | RollBackAlias:
    suites = protecting(workspace, model)
    if aim.alias is not None:
        return RollBackAlias(
            model=model.name,
            alias=aim.alias,
            to=target,
            from_version=head,
            expected=aim.expected,
            asked=aim.asked,
            replayed=replayed,
            reason=aim.reason,
            override=aim.override,
            suites=suites,
        )
    return RollBack(
        model=model.name,
        branch=aim.branch,
        to=target,
        from_version=head,
        expected=aim.expected,
        asked=aim.asked,
        replayed=replayed,
        move_aliases=tuple(aim.move_aliases),
        reason=aim.reason,
        override=aim.override,
        suites=suites,
    )


def _changed(now: Manifest, then: Manifest) -> dict[str, int]:
    """Bytes of the tensors that would be written, by name."""
    known = {tensor.name: tensor.digest for tensor in now.tensors}
    return {tensor.name: tensor.nbytes for tensor in then.tensors if known.get(tensor.name) != tensor.digest}
