"""The guards that several decisions share: each lets pass or refuses in one sentence."""

from __future__ import annotations

from ..errors import Refused, Stale
from .model import Model


def writable(model: Model) -> None:
    """An archived model takes nothing but its unarchiving."""
    if model.archived:
        raise Refused(f"model {model.name!r} is archived; `unarchive` opens it again")


def unused(model: Model, name: str) -> None:
    """A name is free in the one name space of branches, tags and aliases."""
    if taken := model.taken(name):
        what = "an alias" if taken == "alias" else f"a {taken}"
        raise Refused(f"{name!r} is {what} of {model.name}; branches, tags and aliases share one name space")


def stands(what: str, expected: int | None, found: int | None) -> None:
    """A branch or alias is where the caller believes it: None believes nothing, 0 means nowhere."""
    if expected is not None and expected != (found or 0):
        raise Stale(what, expected or "nowhere", found or "nowhere", "look at what moved it and try again")
