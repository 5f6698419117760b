"""How moves of branches, tags and aliases are decided."""

from __future__ import annotations

from ..errors import NotInPast, Refused, Stale
from ..events.event import Event
from ..events.model import (
    AliasDeleted,
    AliasMoved,
    AliasRolledBack,
    BranchCreated,
    BranchDeleted,
    BranchRolledBack,
    TagDeleted,
)
from .commands import (
    CreateBranch,
    DeleteAlias,
    DeleteBranch,
    DeleteTag,
    MoveAliases,
    RollBack,
    RollBackAlias,
)
from .model import Model
from .names import checked_name


def create_branch(model: Model, command: CreateBranch) -> tuple[Event, ...]:
    """Open a branch at a version; repeated at the same version it is nothing new."""
    checked_name(command.branch, "branch")
    model.version(command.version)
    head = model.head(command.branch)
    if head == command.version:
        return ()
    if head is not None:
        raise Refused(
            f"branch {command.branch!r} stands on version {head} already; `rollback` moves it, or choose another name"
        )
    _unused(model, command.branch)
    return (BranchCreated(branch=command.branch, version=command.version),)


def delete_branch(model: Model, command: DeleteBranch) -> tuple[Event, ...]:
    """Give up a branch; its versions keep their numbers, and the last branch stays."""
    if (head := model.head(command.branch)) is None:
        raise Refused(f"{model.name} has no branch {command.branch!r}; `lepton branch` lists them")
    if len(model.live("branch")) == 1:
        raise Refused(f"{command.branch!r} is the only branch of {model.name}; a model keeps at least one")
    return (BranchDeleted(branch=command.branch, version=head),)


def delete_tag(model: Model, command: DeleteTag) -> tuple[Event, ...]:
    """Give up a tag."""
    if (number := model.tags.get(command.tag)) is None:
        raise Refused(f"{model.name} has no tag {command.tag!r}; `lepton tag` lists them")
    return (TagDeleted(tag=command.tag, version=number),)


def move_aliases(model: Model, command: MoveAliases) -> tuple[Event, ...]:
    """Put aliases on versions, all or none, if they stand where the caller believes."""
    if unknown := command.expected.keys() - command.to.keys():
        raise Refused(f"`expected` names {', '.join(sorted(unknown))}, which is not being moved; name the same aliases")
    live = model.live("alias")
    for alias, number in command.to.items():
        checked_name(alias, "alias")
        model.version(number)
        if alias not in live:
            _unused(model, alias)
        _expected(f"alias {alias!r}", command.expected.get(alias), live.get(alias))
    return tuple(
        AliasMoved(alias=alias, from_version=live.get(alias), to_version=number, reason=command.reason)
        for alias, number in command.to.items()
        if live.get(alias) != number
    )


def delete_alias(model: Model, command: DeleteAlias) -> tuple[Event, ...]:
    """Give up an alias."""
    return (AliasDeleted(alias=command.alias, from_version=standing(model, command.alias)),)


def roll_back(model: Model, command: RollBack) -> tuple[Event, ...]:
    """Put a branch on a version of its past, forwards too, and the aliases named with it."""
    head = _not_archived(model).head(command.branch)
    if head is None:
        raise Refused(f"{model.name} has no branch {command.branch!r}; `lepton branch` lists them")
    model.version(command.to)
    _expected(f"branch {command.branch!r}", command.expected, head)
    if command.to not in model.past(command.branch):
        raise NotInPast(command.to, command.branch)
    if command.to == head:
        return ()
    _expected(f"branch {command.branch!r}", command.from_version, head)
    rolled = BranchRolledBack(
        branch=command.branch,
        from_version=head,
        to_version=command.to,
        replayed=command.replayed,
        reason=command.reason,
    )
    aliases = (
        AliasRolledBack(alias=alias, from_version=stood, to_version=command.to, reason=command.reason)
        for alias in command.move_aliases
        if (stood := standing(model, alias)) != command.to
    )
    return (rolled, *aliases)


def roll_back_alias(model: Model, command: RollBackAlias) -> tuple[Event, ...]:
    """Put an alias back on a version it has stood on."""
    stands = standing(_not_archived(model), command.alias)
    _expected(f"alias {command.alias!r}", command.expected, stands)
    if command.to not in served(model, command.alias):
        raise Refused(
            f"alias {command.alias!r} never stood on version {command.to}; "
            f"`lepton alias {command.alias} {command.to}` puts it there"
        )
    if command.to == stands:
        return ()
    _expected(f"alias {command.alias!r}", command.from_version, stands)
    return (
        AliasRolledBack(
            alias=command.alias,
            from_version=stands,
            to_version=command.to,
            replayed=command.replayed,
            reason=command.reason,
        ),
    )


def standing(model: Model, alias: str) -> int:
    """The version an alias stands on, or `Refused`."""
    if (number := model.live("alias").get(alias)) is None:
        raise Refused(f"{model.name} has no alias {alias!r}; `lepton alias` lists them")
    return number


def served(model: Model, alias: str) -> frozenset[int]:
    """Every version an alias has stood on."""
    return frozenset(move.to_version for move in model.aliases[alias].history() if move.to_version is not None)


def before_last_move(model: Model, alias: str) -> int:
    """Where an alias stood before its last move, or `Refused` where it has only one place."""
    standing(model, alias)
    last = next(model.aliases[alias].history())
    if last.from_version is None:
        raise Refused(f"alias {alias!r} has stood on version {last.to_version} only; name a version to roll back to")
    return last.from_version


def _not_archived(model: Model) -> Model:
    if model.archived:
        raise Refused(f"model {model.name!r} is archived; `unarchive` opens it again")
    return model


def _unused(model: Model, name: str) -> None:
    if taken := model.taken(name):
        raise Refused(f"{name!r} is a {taken} of {model.name}; branches, tags and aliases share one name space")


def _expected(what: str, expected: int | None, found: int | None) -> None:
    """A guard of the caller: None asks nothing, 0 means nowhere."""
    if expected is not None and expected != (found or 0):
        raise Stale(what, expected or "nowhere", found or "nowhere", "look at what moved it and try again")
