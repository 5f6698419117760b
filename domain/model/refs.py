"""How moves of branches, tags and aliases are decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...errors import Malformed, NotInPast, Refused, UnknownRevision
from ...events.event import Event
from ...events.model import (
    AliasDeleted,
    AliasMoved,
    AliasRolledBack,
    BranchCreated,
    BranchDeleted,
    BranchRolledBack,
    TagDeleted,
)
from ..commands import (
    CreateBranch,
    CreateTag,
    DeleteAlias,
    DeleteBranch,
    DeleteTag,
    MoveAliases,
    RollBack,
    RollBackAlias,
)
from ..gates.protection import passage, undeletable
from ..guards import stands, unused, writable
from ..names import checked_name
from .commit import free_tag
from .state import ModelState

ALL: Final = "*"
"""In the place of an alias that is expected to be somewhere: all those of the model, by the last move of any."""


def create_branch(model: ModelState, command: CreateBranch) -> tuple[Event, ...]:
    """Open a branch at a version; repeated at the same version it is nothing new."""
    checked_name(command.branch, "branch")
    model.version(command.version)
    head = model.head(command.branch)
    stands(f"branch {command.branch!r}", command.expected, head, model.last_move("branch", command.branch))
    if head == command.version:
        return ()
    if head is not None:
        raise Refused(
            f"branch {command.branch!r} stands on version {head} already; `rollback` moves it, or choose another name"
        )
    unused(model, command.branch)
    return (BranchCreated(branch=command.branch, version=command.version),)


def delete_branch(model: ModelState, command: DeleteBranch) -> tuple[Event, ...]:
    """Give up a branch; its versions keep their numbers, and the last branch stays."""
    if (head := model.head(command.branch)) is None:
        raise UnknownRevision(f"{model.name} has no branch {command.branch!r}; `lepton branch` lists them")
    stands(f"branch {command.branch!r}", command.expected, head, model.last_move("branch", command.branch))
    if not any(ref.version and ref.name != command.branch for ref in model.branches.values()):
        raise Refused(f"{command.branch!r} is the only branch of {model.name}; a model keeps at least one")
    return (BranchDeleted(branch=command.branch, version=head),)


def create_tag(model: ModelState, command: CreateTag) -> tuple[Event, ...]:
    """Bind a tag to a version; repeated on the same version it is nothing new."""
    model.version(command.version)
    bound = model.tags.get(command.tag)
    stands(f"tag {command.tag!r}", command.expected, bound, model.last_move("tag", command.tag))
    return () if bound == command.version else (free_tag(model, command.tag, command.version),)


def delete_tag(model: ModelState, command: DeleteTag) -> tuple[Event, ...]:
    """Give up a tag."""
    if (number := model.tags.get(command.tag)) is None:
        raise UnknownRevision(f"{model.name} has no tag {command.tag!r}; `lepton tag` lists them")
    stands(f"tag {command.tag!r}", command.expected, number, model.last_move("tag", command.tag))
    return (TagDeleted(tag=command.tag, version=number),)


def move_aliases(model: ModelState, command: MoveAliases) -> tuple[Event, ...]:
    """Put aliases on versions, all or none, if they stand where the caller believes."""
    of_all = command.expected.get(ALL)
    if isinstance(of_all, int):
        raise Malformed(f"`expected` says where all aliases stand, {of_all}; give the last move of any, as a LastMove")
    if of_all is not None:
        stands("the last move of an alias", of_all, None, model.last_of_all("alias"))
    if unknown := command.expected.keys() - command.to.keys() - {ALL}:
        raise Refused(f"`expected` names {', '.join(sorted(unknown))}, which is not being moved; name the same aliases")
    for alias, number in command.to.items():
        checked_name(alias, "alias")
        model.version(number)
        if model.alias(alias) is None and alias not in model.protected:
            unused(model, alias)
        expected, last = command.expected.get(alias), model.last_move("alias", alias)
        stands(f"alias {alias!r}", expected, model.alias(alias), last)
    return tuple(
        AliasMoved(
            alias=alias,
            from_version=model.alias(alias),
            to_version=number,
            reason=command.reason,
            **passage(model, alias, number, command),
        )
        for alias, number in command.to.items()
        if model.alias(alias) != number
    )


def delete_alias(model: ModelState, command: DeleteAlias) -> tuple[Event, ...]:
    """Give up an alias, unless it is protected."""
    stood = standing(model, command.alias)
    stands(f"alias {command.alias!r}", command.expected, stood, model.last_move("alias", command.alias))
    undeletable(model, command.alias)
    return (AliasDeleted(alias=command.alias, from_version=stood),)


def decide_rollback(model: ModelState, command: RollBack | RollBackAlias) -> tuple[Event, ...]:
    """Put a branch or alias on a version of its past, as far as that is allowed before anything is restored."""
    writable(model)
    return roll_back(model, command) if isinstance(command, RollBack) else roll_back_alias(model, command)


def roll_back(model: ModelState, command: RollBack) -> tuple[Event, ...]:
    """Put a branch on a version of its past, forwards too, and the aliases named with it."""
    head = model.head(command.branch)
    if head is None:
        raise UnknownRevision(f"{model.name} has no branch {command.branch!r}; `lepton branch` lists them")
    model.version(command.to)
    last = model.last_move("branch", command.branch)
    stands(f"branch {command.branch!r}", command.expected, head, last)
    if not model.in_past(command.branch, command.to):
        raise NotInPast(command.to, command.branch)
    aliases = tuple(_taken_along(model, command))
    if command.to == head:
        return aliases
    stands(f"branch {command.branch!r}", command.from_version, head, last)
    rolled = BranchRolledBack(
        branch=command.branch,
        from_version=head,
        to_version=command.to,
        replayed=command.replayed,
        reason=command.reason,
    )
    return (rolled, *aliases)


def _taken_along(model: ModelState, command: RollBack) -> Iterator[Event]:
    """The aliases that go with a branch: put back where they have stood before, moved where they have not."""
    for alias in dict.fromkeys(command.move_aliases):
        stood = standing(model, alias)
        if stood != command.to:
            kind = AliasRolledBack if command.to in model.aliases[alias].stood else AliasMoved
            by = passage(model, alias, command.to, command)
            yield kind(alias=alias, from_version=stood, to_version=command.to, reason=command.reason, **by)


def roll_back_alias(model: ModelState, command: RollBackAlias) -> tuple[Event, ...]:
    """Put an alias back on a version it has stood on."""
    stood = standing(model, command.alias)
    last = model.last_move("alias", command.alias)
    stands(f"alias {command.alias!r}", command.expected, stood, last)
    if command.to not in model.aliases[command.alias].stood:
        raise Refused(
            f"alias {command.alias!r} never stood on version {command.to}; "
            f"`lepton alias {command.alias} {command.to}` puts it there"
        )
    if command.to == stood:
        return ()
    stands(f"alias {command.alias!r}", command.from_version, stood, last)
    return (
        AliasRolledBack(
            alias=command.alias,
            from_version=stood,
            to_version=command.to,
            replayed=command.replayed,
            reason=command.reason,
            **passage(model, command.alias, command.to, command),
        ),
    )


def standing(model: ModelState, alias: str) -> int:
    """The version an alias stands on, or `Refused`."""
    if (number := model.alias(alias)) is None:
        raise UnknownRevision(f"{model.name} has no alias {alias!r}; `lepton alias` lists them")
    return number


def before_last_move(model: ModelState, alias: str) -> int:
    """Where an alias stood before its last move, or `Refused` where it has only one place."""
    standing(model, alias)
    last = next(model.aliases[alias].history())
    if last.from_version is None:
        raise Refused(f"alias {alias!r} has stood on version {last.to_version} only; name a version to roll back to")
    return last.from_version
