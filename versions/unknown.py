"""Whose fault it is that a revision is unknown: who asks is to blame only where the log is whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Damaged, LeptonError, UnknownRevision

if TYPE_CHECKING:
    from .workspace import Workspace

T = TypeVar("T")


def damage_first(workspace: Callable[[Any], Workspace]) -> Callable[[type[T]], type[T]]:
    """Makes the public methods of a class raise `Damaged` instead of `UnknownRevision` where rows are missing.

    `workspace` gives an object's workspace, whose log is looked at after a method has failed, and only then.
    """

    def decorated(kind: type[T]) -> type[T]:
        for name, member in list(vars(kind).items()):
            if inspect.isfunction(member) and not name.startswith("_"):
                setattr(kind, name, _looking(member, workspace))
        return kind

    return decorated


def _looking(method: Callable[..., Any], workspace: Callable[[Any], Workspace]) -> Callable[..., Any]:
    @wraps(method)
    def looking(self: Any, *given: Any, **named: Any) -> Any:
        try:
            return method(self, *given, **named)
        except UnknownRevision as error:
            if damage := _damage(lambda: workspace(self)):
                raise damage from error
            raise

    return looking


def _damage(workspace: Callable[[], Workspace]) -> Damaged | None:
    from ..events.sql.misplaced import misplaced

    try:
        return misplaced(workspace().ledger.store)
    except LeptonError:  # there is no ledger, or it is away by now
        return None
