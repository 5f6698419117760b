"""The guards that several decisions share: each lets pass or refuses in one sentence."""

from __future__ import annotations

from typing import Any

from ..errors import Malformed, Refused, Stale
from ..results import LastMove
from ..results.last_move import event_at
from .job.commands import AskForWork
from .model.state import ModelState
from .names import checked_needs, checked_pool


def writable(model: ModelState) -> None:
    """An archived model takes nothing but its unarchiving."""
    if model.archived:
        raise Refused(f"model {model.name!r} is archived; `unarchive` opens it again")


def branch_is_open(model: ModelState, name: str) -> None:
    """A branch has a head to go on from; the first version of a model opens its own."""
    if model.versions and model.head(name) is None:
        raise Refused(f"{model.name} has no branch {name!r} yet; open it with `lepton branch {name} REV`")


def unused(model: ModelState, name: str) -> None:
    """A name is free in the one name space of branches, tags and aliases; a protected alias may stand nowhere yet."""
    taken = model.taken(name)
    if taken or name in model.protected:
        what = f"a {taken}" if taken and taken != "alias" else "a protected alias" if not taken else "an alias"
        raise Refused(f"{name!r} is {what} of {model.name}; branches, tags and aliases share one name space")


def stands(what: str, expected: int | LastMove | None, found: int | None, last: int) -> None:
    """A name is where the caller believes it: None believes nothing, 0 means nowhere.

    `last` is the event that moved it last, 0 where nothing bears the name.
    """
    if isinstance(expected, LastMove):
        if not expected.holds(last):
            raise Stale(what, str(expected), event_at(last), "look at what moved it and try again")
    elif expected is not None and expected != (found or 0):
        raise Stale(what, expected or "nowhere", found or "nowhere", "look at what moved it and try again")


def limits(command: AskForWork) -> dict[str, Any]:
    """Who may do a job and what it may take, as its event has it."""
    if command.retries < 0:
        raise Malformed("a job has no fewer than 0 retries; give 0 or more")
    return {
        "pool": checked_pool(command.pool),
        "needs": checked_needs(command.needs),
        "memory": command.memory,
        "seconds": command.seconds,
        "retries": command.retries,
        "after": tuple(dict.fromkeys(command.after)),
    }
