"""Rights: what somebody may do, and with which models."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args

from ...errors import Forbidden

Scope = Literal["read", "write", "move", "admin", "sql"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
_IMPLIED: Final[dict[Scope, frozenset[Scope]]] = {
    "read": frozenset(("read", "write", "move", "admin")),
    "write": frozenset(("write", "admin")),
    "move": frozenset(("move", "admin")),
    "admin": frozenset(("admin",)),
    "sql": frozenset(("sql", "admin")),
}
"""By scope, the scopes any of which holds it: who writes or moves may read, and admin may all."""


@dataclass(frozen=True, slots=True, repr=False)
class Rights:
    """What somebody may do, with the models whose names one of the globs fits.

    What concerns the whole ledger (tokens, forgetting, SQL, the log in full) needs the glob `*`.
    """

    scopes: frozenset[Scope]
    models: tuple[str, ...] = ("*",)

    def __repr__(self) -> str:
        """The same in every process, whatever the order of a set is there."""
        return f"Rights({', '.join(sorted(self.scopes))} on {', '.join(self.models)})"

    @property
    def everywhere(self) -> bool:
        """Whether they hold for every model, those to come too."""
        return "*" in self.models

    @property
    def unlimited(self) -> bool:
        """Whether there is nothing that they do not allow."""
        return "admin" in self.scopes and self.everywhere

    def covers(self, *models: str) -> bool:
        """Whether they hold for some models, all of them, whatever they allow."""
        return self.everywhere or all(any(fnmatchcase(model, glob) for glob in self.models) for model in models)

    def may(self, scope: Scope, model: str | None = None) -> bool:
        """Whether they allow something, with a model if one is named."""
        return not _IMPLIED[scope].isdisjoint(self.scopes) and (model is None or self.covers(model))

    def check(self, scope: Scope, model: str | None = None) -> None:
        """Raise `Forbidden` where they do not allow something, with a model if one is named."""
        if not self.may(scope, model):
            raise Forbidden(scope, model)

    def check_everywhere(self, scope: Scope) -> None:
        """As `check`, of what concerns the whole ledger."""
        if not (self.everywhere and self.may(scope)):
            raise Forbidden(scope, "*")


ALL: Final = Rights(frozenset(SCOPES))
"""The rights of whoever may open the home, and of what the ledger does by itself."""
